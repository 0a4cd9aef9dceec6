"""Random disasters, in short; half an hour of them is `./dev chaos`."""

import pytest
from lab.disasters import PAUSE_BESIDE_OTHERS_S, Disasters, Plan

SEED, DISASTERS = 7, 1


@pytest.mark.timeout(600)
def test_random_disasters_in_a_row(lab, lab_ledger):
    Disasters(lab, Plan(SEED, "cut-link"), lab_ledger, print, pause_s=PAUSE_BESIDE_OTHERS_S).run(lambda count: count < DISASTERS)
