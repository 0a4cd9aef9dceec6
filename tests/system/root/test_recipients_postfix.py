"""recipients = "verify" before Debian's Postfix: it answers for its users, also while it is down, and no question wears
out its limits on errors."""

import smtplib

import pytest
from network import BackupMx
from root.postfix_peer import Postfix
from sender import SMTP_LIMIT_S

KNOWN, NOBODY, MADE_UP = "alice@example.test", "nobody@example.test", 45


@pytest.fixture
def postfix(scratch):
    scratch.chmod(0o755)  # its processes have users of their own
    peer = Postfix(scratch / "postfix", *BackupMx.SERVER, users=["alice"]).start()
    yield peer
    peer.stop()


@pytest.fixture
def relay(make_network, postfix):
    network = make_network(BackupMx, "backup-mx.conf", [('recipients = "any"', 'recipients = "verify"')]).start()
    network.until(lambda: network.server()["state"] == "operational", "a server that works")
    return network


def codes(*recipients):
    """The answers to RCPT, in one session."""
    with smtplib.SMTP(*BackupMx.RELAY, timeout=SMTP_LIMIT_S) as session:
        session.ehlo("client.example")
        session.docmd("MAIL FROM:<sender@client.example>")
        return [session.docmd(f"RCPT TO:<{recipient}>")[0] for recipient in recipients]


def test_its_users_are_known_while_it_is_up_and_down(relay, postfix):
    assert codes(KNOWN, NOBODY) == [250, 550]
    postfix.stop()
    relay.until(lambda: relay.server()["state"] == "inoperable", "a server that is down")
    assert codes(KNOWN, NOBODY, "never@example.test") == [250, 550, 450]


def test_a_dictionary_attack_meets_no_limit_of_its(relay, postfix):
    """It slows a session down after 10 errors, and cuts it at 20."""
    for first in range(0, MADE_UP, 15):  # our own limit on errors is 20
        assert codes(*(f"made-up-{number}@example.test" for number in range(first, first + 15))) == [550] * 15
    assert codes(KNOWN) == [250]
    assert postfix.log().count("User unknown in local recipient table") == MADE_UP
    assert "too many errors" not in postfix.log()
