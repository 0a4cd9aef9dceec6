"""The link between the sites is cut and healed, with load on both sides; the third place sees both. Never two writers, no
accepted message lost, UIDs never given twice, and each side says plainly what it refuses. The long campaign is
`./dev chaos --only cut-link --count 20 --hold 60`."""

import re

import ledger as ledgers
import pytest
from lab.disasters import Disasters, Plan

CUTS = 2


@pytest.mark.timeout(600)
def test_cut_and_healed_under_load(lab, lab_ledger):
    Disasters(lab, Plan(1, "cut-link"), lab_ledger, print).run(lambda count: count < CUTS)


@pytest.mark.timeout(600)
def test_each_side_says_what_it_refuses(lab, lab_ledger):
    network, mta = lab.holdfast, lab.holdfast.mta(lab_ledger)
    lab.cut_link()
    refused = network.until(lambda: next((a for a in [mta.attempt_by(network.RELAY_WEST)] if a.outcome != ledgers.ACCEPTED
                                          and a.reply), None), "a refusal by the side without the database")
    assert re.match(r"4[25]1 4\.\d\.\d \S", refused.reply), refused.reply
    network.until(lambda: mta.attempt_by(network.RELAY_EAST).outcome == ledgers.ACCEPTED, "service on the other side")
    lab.heal()
    lab.await_healed()
    network.until(lambda: mta.attempt_by(network.RELAY_WEST).outcome == ledgers.ACCEPTED, "service on both sides")
    network.judge(lab_ledger)
