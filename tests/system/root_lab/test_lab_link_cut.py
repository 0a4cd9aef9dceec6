"""The link between the sites is cut and healed; the third place sees both. Each side says plainly what it refuses, who reads
goes on, and no accepted message is lost. Under load: test_lab_chaos.py, and the campaign `./dev chaos --only cut-link --count 20 --hold 60`."""

import re

import ledger as ledgers
import pytest


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
