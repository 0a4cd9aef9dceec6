"""Passwords in plain text are taken on loopback only: from another address AUTH is not offered, and refused; under
TLS it is."""

import imaplib
import poplib
import smtplib
import socket
import subprocess

import certificates
import pytest
import reader
from network import ALICE, TwoSite

AWAY = "192.0.2.77"  # TEST-NET-1 (RFC 5737)
LIMIT_S = 20


@pytest.fixture
def away():
    """An address of this machine that is not loopback."""
    subprocess.run(["ip", "address", "add", f"{AWAY}/32", "dev", "lo"], check=True)
    yield AWAY
    subprocess.run(["ip", "address", "del", f"{AWAY}/32", "dev", "lo"], check=True)


class ImapFrom(imaplib.IMAP4):
    def __init__(self, source, *args):
        self.source = source
        super().__init__(*args, timeout=LIMIT_S)

    def _create_socket(self, timeout):
        return socket.create_connection((self.host, self.port), timeout, (self.source, 0))


class Pop3From(poplib.POP3):
    def __init__(self, source, *args):
        self.source = source
        super().__init__(*args, timeout=LIMIT_S)

    def _create_socket(self, timeout):
        return socket.create_connection((self.host, self.port), timeout, (self.source, 0))


def test_imap(two_site, away):
    with ImapFrom(away, TwoSite.HOME, TwoSite.IMAP) as session:
        assert "LOGINDISABLED" in session.capabilities
        assert not any(word.startswith("AUTH=") for word in session.capabilities)
        with pytest.raises(imaplib.IMAP4.error):
            session.login(ALICE, reader.PASSWORD)
        with pytest.raises(imaplib.IMAP4.error):
            session.authenticate("PLAIN", lambda _: f"\0{ALICE}\0{reader.PASSWORD}".encode())
    with reader.imap(TwoSite.HOME, TwoSite.IMAP) as session:
        assert "LOGINDISABLED" not in session.capabilities


def test_pop3(two_site, away):
    session = Pop3From(away, TwoSite.HOME, TwoSite.POP3)
    assert not {"USER", "SASL"} & set(session.capa())
    with pytest.raises(poplib.error_proto):
        session.user(ALICE)
        session.pass_(reader.PASSWORD)
    session.quit()
    with reader.pop3(TwoSite.HOME, TwoSite.POP3) as session:
        assert {"USER"} <= set(session.capa())


def test_submission(two_site, away):
    with smtplib.SMTP(TwoSite.HOME, TwoSite.SUBMISSION, timeout=LIMIT_S, source_address=(away, 0)) as session:
        session.ehlo()
        assert not session.has_extn("auth")
        code, text = session.docmd("AUTH", "PLAIN")
        assert code in (502, 504, 538), text
        session.docmd("MAIL", f"FROM:<{ALICE}>")
        assert session.docmd("RCPT", f"TO:<{ALICE}>")[0] in (503, 530)
    with smtplib.SMTP(TwoSite.HOME, TwoSite.SUBMISSION, timeout=LIMIT_S) as session:
        session.ehlo()
        assert session.has_extn("auth")
        session.login(ALICE, reader.PASSWORD)


@pytest.fixture
def with_certificate(make_network, scratch, away):
    certificates.Authority(scratch).sign("mail", ["mail1.example.test"])
    return make_network(TwoSite, "two-site.conf", [
        ('site "west" { }', 'site "west" { }\ncertificate "mail" { certificate = "mail.pem"  key = "mail.key" }'),
        ('hostname = "mail1.example.test"', 'hostname = "mail1.example.test"  certificates = {"mail"}')]).start()


def test_submission_under_tls(with_certificate, away):
    with smtplib.SMTP(TwoSite.HOME, TwoSite.SUBMISSION, timeout=LIMIT_S, source_address=(away, 0)) as session:
        session.ehlo()
        assert not session.has_extn("auth")
        assert session.docmd("AUTH", "PLAIN")[0] == 538
        session.starttls()
        session.ehlo()
        assert session.has_extn("auth")
        session.login(ALICE, reader.PASSWORD)


def test_readers_under_tls(with_certificate, away):
    with ImapFrom(away, TwoSite.HOME, TwoSite.IMAP) as session:
        assert "LOGINDISABLED" in session.capabilities
        session.starttls()
        assert "LOGINDISABLED" not in session.capabilities
        session.login(ALICE, reader.PASSWORD)
    session = Pop3From(away, TwoSite.HOME, TwoSite.POP3)
    assert not {"USER", "SASL"} & set(session.capa())
    session.stls()
    session.user(ALICE)
    session.pass_(reader.PASSWORD)
    session.quit()
