"""The disk of east's database is destroyed after a `250`: the message is read in the west."""

import pytest


@pytest.mark.timeout(600)
def test_what_was_accepted_is_read_in_the_west(lab, lab_ledger):
    network = lab.holdfast
    assert len(network.mta(lab_ledger).send_by(network.RELAY_EAST, 20)) == 20
    lab.lose_disk("east")
    lab.await_primary("west")
    lab.kill_site("east")
    network.await_operational_at(network.REMOTE)
    network.judge(lab_ledger)
