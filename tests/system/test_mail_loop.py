"""The loop guard: a message that passed too many servers, or this relay too often, is taken, and held in quarantine with an
event, so that nobody bounces it."""

import json
import sqlite3

import pytest
import sender
from network import ALICE, BackupMx

OTHER, OWN = "relay.elsewhere.test", "relay1.example.test"
HOPS_MAX, OWN_HOPS_MAX = 100, 5


def received(by, blank=" "):
    return f"Received: from somewhere.test (somewhere.test [192.0.2.1])\r\n\tby{blank}{by} with ESMTP; 1 Jan 2024 00:00:00 +0000\r\n"


@pytest.fixture
def relay(make_network):
    return make_network(BackupMx, "backup-mx.conf").start()


@pytest.fixture
def send(relay, ledger):
    session = sender.Session(*BackupMx.RELAY)

    def send(lines):
        """The custody id that it is taken by."""
        attempt = ledger.open(sender.SENDER, [ALICE])
        attempt.content = lines.encode() + attempt.content
        session.send(attempt)
        assert attempt.reply.startswith("250 "), attempt.reply
        return attempt.reply.split()[-1]

    yield send
    session.close()


def state_of(relay, custody):
    [row] = relay.json("queue", "list", "--id", custody)
    return row["state"]


def until_held(relay, custody, hops, own_hops):
    [row] = relay.json("queue", "list", "--id", custody)
    assert row["state"] == "quarantined"
    assert row["last_reply"] == f"5.4.6 mail loop: it had passed {hops} servers, this relay {own_hops} times"
    detail = relay.until(lambda: events(relay).get(custody), "its event")
    assert json.loads(detail)["reply"] == row["last_reply"]


def events(relay):
    with sqlite3.connect(f"file:{relay.state_dir}/store/network.db?mode=ro", uri=True) as db:
        return dict(db.execute("SELECT subject, detail FROM event WHERE kind = 'loop'"))


def test_too_many_hops(relay, send):
    assert state_of(relay, send(received(OTHER) * (HOPS_MAX - 1))) == "waiting"
    until_held(relay, send(received(OTHER) * HOPS_MAX), HOPS_MAX, 0)
    assert state_of(relay, send("")) == "waiting", "the session goes on"


def test_the_own_name_too_often(relay, send):
    assert state_of(relay, send(received(OWN) * (OWN_HOPS_MAX - 1))) == "waiting"
    until_held(relay, send(received(OWN) * (OWN_HOPS_MAX + 1)), OWN_HOPS_MAX + 1, OWN_HOPS_MAX + 1)
    until_held(relay, send(received(OWN, "\r\n\t") * OWN_HOPS_MAX), OWN_HOPS_MAX, OWN_HOPS_MAX)
    assert state_of(relay, send(received("not-" + OWN) * (OWN_HOPS_MAX + 1))) == "waiting"


def test_the_body_does_not_count(relay, send):
    assert state_of(relay, send("Subject: quoted\r\n\r\n" + received(OWN) * HOPS_MAX)) == "waiting"


def test_released_it_is_delivered(relay, send, make_sink):
    custody = send(received(OTHER) * HOPS_MAX)
    sink = make_sink()
    relay.must("queue", "release", "--id", custody)
    relay.until(lambda: len(sink.messages) == 1, "the message at the server")
