"""The loop guard: a message that passed too many servers, or this relay too often, is refused with 554 5.4.6."""

import pytest
import sender
from network import ALICE, BackupMx

OTHER, OWN = "relay.elsewhere.test", "relay1.example.test"
HOPS_MAX, OWN_HOPS_MAX = 100, 5


def received(by):
    return f"Received: from somewhere.test (somewhere.test [192.0.2.1])\r\n\tby {by} with ESMTP; 1 Jan 2024 00:00:00 +0000\r\n"


@pytest.fixture
def send(make_network, ledger):
    make_network(BackupMx, "backup-mx.conf").start()
    session = sender.Session(*BackupMx.RELAY)

    def send(lines):
        attempt = ledger.open(sender.SENDER, [ALICE])
        attempt.content = lines.encode() + attempt.content
        session.send(attempt)
        return attempt.reply

    yield send
    session.close()


def test_too_many_hops(send):
    assert send(received(OTHER) * (HOPS_MAX - 1)).startswith("250 ")
    assert send(received(OTHER) * HOPS_MAX).startswith("554 5.4.6 ")
    assert send("").startswith("250 "), "the session goes on"


def test_the_own_name_too_often(send):
    assert send(received(OWN) * (OWN_HOPS_MAX - 1)).startswith("250 ")
    assert send(received(OWN) * (OWN_HOPS_MAX + 1)).startswith("554 5.4.6 ")
    assert send(received("not-" + OWN) * (OWN_HOPS_MAX + 1)).startswith("250 ")


def test_the_body_does_not_count(send):
    assert send("Subject: quoted\r\n\r\n" + received(OWN) * HOPS_MAX).startswith("250 ")
