"""The link between the sites is cut and healed, with load on both sides; the third place sees both. Never two writers, no
accepted message lost, UIDs never given twice, and each side says plainly what it refuses. The long campaign is
`./dev chaos --only cut-link --count 20 --hold 60`."""

import re

import ledger as ledgers
import pytest
from lab.disasters import Disasters, Plan

CUTS = 1


@pytest.mark.timeout(600)
def test_cut_and_healed_under_load(lab, lab_ledger):
    Disasters(lab, Plan(1, "cut-link"), lab_ledger, print).run(lambda count: count < CUTS)


@pytest.mark.timeout(600)
def test_each_side_says_what_it_refuses(lab, lab_ledger):
    network, mta = lab.holdfast, lab.holdfast.mta(lab_ledger)
    lab.cut_link()
    for relay in (network.RELAY_WEST, network.RELAY_EAST):
        refused = network.until(lambda relay=relay: next((a for a in [mta.attempt_by(relay)] if a.outcome == ledgers.REFUSED
                                                          and a.reply[:1].isdigit()), None), f"a refusal by {relay}")
        assert re.match(r"4[25]1 4\.\d\.\d \S", refused.reply), refused.reply
    network.until(lambda: "durability" in mta.attempt_by(network.RELAY_EAST).reply,
                  "the side with the database, which says what is missing")
    network.until(network.imap_messages, "who reads meanwhile")
    lab.heal()
    lab.await_healed()
    for relay in (network.RELAY_WEST, network.RELAY_EAST):
        network.until(lambda relay=relay: mta.attempt_by(relay).outcome == ledgers.ACCEPTED, "service on both sides")
    network.judge(lab_ledger)
