"""What the configuration no longer names may still have mail in custody: it is seen, and it ends."""

import pytest
from network import ALICE, MANUAL, TwoSite


def restart_with(network, changes):
    """As an operator does it: the file is changed while nothing runs."""
    network.stop()
    text = network.config.read_text()
    for old, new in changes:
        assert old in text, f"the configuration has no '{old}'"
        text = text.replace(old, new)
    network.config.write_text(text)
    network.spawn("run")


def without(network, section):
    """The text of a section of the configuration."""
    text = network.config.read_text()
    start = text.index(section)
    return text[start:text.index("\n}\n", start) + 3], ""


@pytest.fixture
def fenced(make_network):
    network = make_network(TwoSite, "two-site.conf", MANUAL).start()
    network.must("server", "fence", "mail1")
    return network


def test_the_queue_of_a_removed_relay_is_seen_and_drains(fenced, ledger):
    assert len(fenced.mta(ledger).send_by(fenced.RELAY_WEST, 2)) == 2
    restart_with(fenced, [
        without(fenced, 'relay "relay-west"'),
        ('relays     = {"relay-east", "relay-west"}', 'relays     = {"relay-east"}'),
        ('node "west1" { site = "west"  roles = {"dns", "relay", ', 'node "west1" { site = "west"  roles = {"dns", '),
    ])
    fenced.until(lambda: [(r["name"], r["queue_owner"], r["queued"]) for r in fenced.status()["removed_relays"]]
                 == [("relay-west", "east1", 2)], "the queue with another relay")
    assert fenced.queued() == 2
    rows = fenced.json("queue", "list")
    assert [(row["queue"], row["recipient"], row["relay_removed"]) for row in rows] == [("relay-west", ALICE, True)] * 2
    assert "in the queue of relay-west, a relay that was removed" in fenced.must("queue", "list")
    assert "(removed from the configuration) queue owner east1, queued 2" in fenced.must("status")
    assert fenced.json("store", "status")["queues"]["relay-west"]["relay_removed"]
    assert "queue relay-west (removed)" in fenced.must("store", "status")
    fenced.fail_back()
    fenced.judge(ledger)
