"""What waits too long is given up at its time, though nothing is attempted meanwhile, and the operator hears of it once."""

import sqlite3

import pytest
from network import BackupMx


@pytest.fixture
def relay(make_network):
    """Its time is far longer than a delivery takes, also on a busy machine."""
    return make_network(BackupMx, "backup-mx.conf", [('expire = "5d"', 'expire = "4s"')]).start()


def events(network):
    """The subjects of the events of quarantine."""
    with sqlite3.connect(f"file:{network.state_dir}/store/network.db?mode=ro", uri=True) as db:
        return [row[0] for row in db.execute("SELECT subject FROM event WHERE kind = 'quarantined'")]


def test_expired_mail_is_in_quarantine_and_told_of(relay, ledger, make_sink):
    relay.mta(ledger).send(3)
    listed = relay.until(lambda: [d for d in relay.json("queue", "list") if d["state"] == "quarantined"]
                         if relay.server()["quarantined"] == 3 else None, "three in quarantine")
    relay.until(lambda: len(events(relay)) == 3, "an event of each")
    assert all("expired" in d["last_reply"] for d in listed)
    sink = make_sink()
    relay.until(lambda: relay.server()["state"] == "operational", "a server that works")
    assert not sink.contents()
    relay.must("queue", "release", "--all")
    relay.until(lambda: ledger.has_all(sink.contents()), "what was released")
    ledger.judge(sink.contents())
    assert len(set(events(relay))) == len(events(relay)) == 3
