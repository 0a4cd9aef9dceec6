"""What the configuration no longer names may still have mail in custody: it is seen, and it ends."""

import pytest
from network import ALICE, MANUAL, BackupMx, TwoSite


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


OLD = 'domain "old.test" { server = "mail1"  relays = {"relay1"}  recipients = "any" }\n'
OLD_SERVER = '''server "mail0" {
    kind = "external"  protocol = "smtp"
    site = "home"  hostname = "mail0.example.test"  address = {"127.0.0.2"}  smtp_port = 2601
    check { kind = "smtp"  interval = "500ms"  timeout = "2s"  fall = 2  rise = 1 }
}
'''
FIRST = 'domain "example.test"'


def unroutable(network):
    return network.status()["relays"][0]["unroutable"]


def events(network):
    return [(e["subject"], e["detail"]) for e in network.json("events") if e["kind"] == "unroutable"]


def test_mail_of_a_removed_domain_is_seen_and_can_be_moved(make_network, make_sink, ledger):
    network = make_network(BackupMx, "backup-mx.conf", [(FIRST, OLD + FIRST)]).start()
    assert len(network.mta(ledger).send_by(network.RELAY[0], 2, to=["bob@old.test"])) == 2
    restart_with(network, [(OLD, "")])
    network.until(lambda: unroutable(network) == 2, "mail without a server")
    network.until(lambda: [subject for subject, _ in events(network)] == ["old.test"], "an event of it")
    assert 'mail without a server' in network.log_path.read_text()
    assert {row["reason"] for row in network.json("queue", "list")} \
        == {"no domain old.test in the configuration: add it, or move or remove its mail"}
    assert "2 in the queue of relay1 have no server" in network.must("status")
    sink = make_sink()
    network.must("queue", "move", "--recipient", "bob@old.test", "--to", "mail1")
    network.until(lambda: ledger.has_all(sink.contents(), "bob@old.test"), "what was moved")
    network.until(lambda: unroutable(network) == 0, "nothing without a server")


def test_it_expires(make_network, ledger):
    network = make_network(BackupMx, "backup-mx.conf", [(FIRST, OLD + FIRST), ('expire = "5d"', 'expire = "6s"')]).start()
    assert len(network.mta(ledger).send_by(network.RELAY[0], 1, to=["bob@old.test"])) == 1
    restart_with(network, [(OLD, "")])
    network.until(lambda: [(row["state"], row["recipient"]) for row in network.json("queue", "list")]
                  == [("quarantined", "bob@old.test")], "its end")


def test_mail_with_the_home_of_a_removed_server_too(make_network, make_sink, ledger):
    network = make_network(BackupMx, "backup-mx.conf", [(FIRST, OLD_SERVER + FIRST)]).start()
    assert len(network.mta(ledger).send_by(network.RELAY[0], 1)) == 1
    network.must("queue", "move", "--all", "--to", "mail0")
    restart_with(network, [(OLD_SERVER, "")])
    network.until(lambda: unroutable(network) == 1, "mail without a server")
    assert [row["reason"] for row in network.json("queue", "list")] \
        == ["no server mail0 in the configuration: add it, or move or remove its mail"]
    assert len(network.json("queue", "list", "--server", "mail0")) == 1
    sink = make_sink()
    network.must("queue", "move", "--server", "mail0", "--to", "mail1")
    network.until(lambda: ledger.has_all(sink.contents()), "what was moved")
