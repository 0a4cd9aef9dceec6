"""Debian's Dovecot as the receiving server, by LMTP: an answer for each recipient, and nothing lost while it is away."""

import pytest
from client import Client
from network import BackupMx
from root.dovecot_peer import Dovecot
from sender import SENDER

ALICE, FULL, NOBODY = "alice@example.test", "full@example.test", "nobody@example.test"
LARGE = 3 << 20


@pytest.fixture
def dovecot(scratch):
    scratch.chmod(0o755)  # its processes have users of their own
    peer = Dovecot(scratch / "dovecot", *BackupMx.SERVER, users={"alice": None, "bob": None, "full": "1k"}).start()
    yield peer
    peer.stop()


@pytest.fixture
def relay(make_network, dovecot):
    network = make_network(BackupMx, "backup-mx.conf", [
        ('protocol = "smtp"', 'protocol = "lmtp"'), ("smtp_port = 2600", "lmtp_port = 2600"),
        ('check { kind = "smtp"', 'check { kind = "lmtp"')]).start()
    network.until(lambda: network.server()["state"] == "operational", "a server that works")
    return network


def test_what_is_accepted_is_there_also_after_its_death(relay, dovecot, ledger):
    mta = relay.mta(ledger)
    mta.send(10)
    mta.send(1, size_bytes=LARGE)
    relay.until(lambda: relay.queued() == 0, "an empty queue")
    dovecot.stop()
    relay.until(lambda: relay.server()["state"] == "inoperable", "a server that is down")
    mta.send(10)
    dovecot.start()
    relay.until(lambda: relay.queued() == 0 and ledger.has_all(dovecot.contents("alice")), "all that was accepted")
    ledger.judge(dovecot.contents("alice"))


def test_each_recipient_has_its_own_answer(relay, dovecot, ledger):
    attempt = ledger.open(SENDER, [ALICE], size_bytes=4000)
    with Client(relay.RELAY, "127.0.0.7") as session:
        session.reply()
        session.say("EHLO client.outside.test")
        session.say(f"MAIL FROM:<{SENDER}>")
        for recipient in (FULL, ALICE, NOBODY, "bob@example.test"):
            assert session.say(f"RCPT TO:<{recipient}>").startswith("250 ")
        session.say("DATA")
        assert session.say(attempt.content.replace(b"\r\n.", b"\r\n..").decode() + ".").startswith("250 ")

    def refused():
        return {entry["recipient"]: entry["last_reply"] for entry in relay.json("queue", "list")
                if entry["state"] == "quarantined"}

    replies = relay.until(lambda: len(refused()) == 2 and refused(), "those that it refuses")
    assert replies[NOBODY].startswith("550 5.1.1 ") and replies[FULL].startswith("552 5.2.2 "), replies
    for user in ("alice", "bob"):
        assert [content.endswith(attempt.content) for content in dovecot.contents(user)] == [True]
    assert dovecot.contents("full") == []
