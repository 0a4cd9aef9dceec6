"""TLS with Debian's Postfix: as the sender that uses it where it is offered, and as the server that must prove its name."""

import smtplib

import certificates
import pytest
import wait
from network import ALICE, BackupMx
from root.postfix_peer import Postfix
from sender import SMTP_LIMIT_S

SENDER_AT = ("127.0.0.1", 2626)
MESSAGE = "Subject: one\r\n\r\ntext\r\n"


@pytest.fixture
def authority(scratch):
    scratch.chmod(0o755)  # its processes have users of their own
    return certificates.Authority(scratch)


@pytest.fixture
def start_postfix(scratch):
    made = []

    def start(place, settings):
        made.append(Postfix(scratch / "postfix", *place, users=["alice"], settings=settings).start())
        return made[-1]

    yield start
    for peer in made:
        peer.stop()


def send(place):
    with smtplib.SMTP(*place, timeout=SMTP_LIMIT_S) as session:
        session.sendmail("sender@outside.test", [ALICE], MESSAGE)


def test_as_the_sender(make_network, make_sink, start_postfix, authority):
    authority.sign("relay", ["relay1.example.test"])
    sink = make_sink()
    network = make_network(BackupMx, "backup-mx.conf", [
        ('site "home" { }', 'site "home" { }\ncertificate "relay" { certificate = "relay.pem"  key = "relay.key" }'),
        ('hostname = "relay1.example.test"', 'hostname = "relay1.example.test"  certificates = {"relay"}')]).start()
    postfix = start_postfix(SENDER_AT, f"""mydestination =
mynetworks = 127.0.0.0/8
relayhost = [{network.RELAY[0]}]:{network.RELAY[1]}
smtp_tls_security_level = may
smtp_tls_loglevel = 1
smtp_tls_CAfile = {authority.file}
""")
    send(SENDER_AT)
    wait.until(lambda: sink.messages, "the message")
    assert "Trusted TLS connection established to" in postfix.log() and ": TLSv1.3 with cipher " in postfix.log()
    assert b"(using TLSv1.3 " in sink.contents()[0] and b"with ESMTPS" in sink.contents()[0]


def test_as_the_server(make_network, start_postfix, authority):
    certificate, key = authority.sign("mail1", [BackupMx.HOST], key="rsa:2048")
    postfix = start_postfix(BackupMx.SERVER, f"""smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_loglevel = 1
""")
    network = make_network(BackupMx, "backup-mx.conf", [
        ('kind = "external"', 'kind = "external"  tls = "required"  tls_ca = "authority.pem"')]).start()
    send(network.RELAY)
    wait.until(lambda: "to=<alice@example.test>" in postfix.log() and "status=sent" in postfix.log(), "the message")
    assert "TLS connection established from" in postfix.log() and ": TLSv1.3 with cipher " in postfix.log()
