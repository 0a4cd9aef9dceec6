"""Random disasters, in short; half an hour of them is `./dev chaos`."""

import pytest
from lab.disasters import Disasters, Plan

SEED, DISASTERS = 17, 1  # a link that is cut and healed


@pytest.mark.timeout(600)
def test_random_disasters_in_a_row(lab, lab_ledger):
    Disasters(lab, Plan(SEED), lab_ledger, print).run(lambda count: count < DISASTERS)
