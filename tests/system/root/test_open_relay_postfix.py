"""Addresses within addresses, before a Debian Postfix that trusts the relay and would send them on to other domains."""

import smtplib

import pytest
from network import BackupMx
from root.postfix_peer import Postfix
from sender import SMTP_LIMIT_S

ROUTED = ["x%evil.test@example.test", "evil.test!x@example.test", '"x@evil.test"@example.test']


@pytest.fixture
def postfix(scratch):
    scratch.chmod(0o755)  # its processes have users of their own
    peer = Postfix(scratch / "postfix", *BackupMx.SERVER, users=["alice"],
                   settings="mynetworks = 127.0.0.0/8\ndefault_transport = discard:\n").start()
    yield peer
    peer.stop()


@pytest.fixture
def start(make_network, postfix):
    def start(keys):
        network = make_network(BackupMx, "backup-mx.conf", [('recipients = "any"', keys)]).start()
        network.until(lambda: network.server()["state"] == "operational", "a server that works")
        return network

    return start


def codes():
    """The answers to RCPT, each in a message of its own."""
    with smtplib.SMTP(*BackupMx.RELAY, timeout=SMTP_LIMIT_S) as session:
        session.ehlo("client.example")
        said = []
        for recipient in ROUTED:
            session.docmd("MAIL FROM:<sender@client.example>")
            said.append(session.docmd(f"RCPT TO:<{recipient}>")[0])
            if said[-1] == 250:
                session.data("Subject: x\r\n\r\ntext\r\n")
            session.rset()
        return said


@pytest.mark.parametrize("mode", ["any", "verify"])
def test_they_are_refused(start, postfix, mode):
    start(f'recipients = "{mode}"')
    assert codes() == [550, 550, 550]
    assert "evil.test" not in postfix.log()


def test_taken_it_would_send_them_on(start, postfix):
    """That the refusal is needed, and what the option means."""
    network = start('recipients = "any"  routed_recipients = "take"')
    assert codes() == [250, 250, 250]
    network.until(lambda: postfix.log().count("to=<x@evil.test>") >= 2, "what it sends on")
