"""STARTTLS as the client: what the relay holds to with an external server, by that server's `tls`."""

import signal
import smtplib
import ssl

import certificates
import pytest
import wait
from network import ALICE, BackupMx

LIMIT_S = 20
HOST = BackupMx.HOST


@pytest.fixture
def sink(make_sink, authority):
    """Offers STARTTLS with a certificate for its name."""
    sink = make_sink()
    sink.tls = context_of(authority.sign("mail1", [HOST]))
    return sink


def context_of(paths):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*paths)
    return context


@pytest.fixture
def start(make_network):
    """start(keys): the network, with these keys in the server's section."""

    def start(keys="", domain=""):
        return make_network(BackupMx, "backup-mx.conf", [
            ('kind = "external"', f'kind = "external"  {keys}'),
            ('recipients = "any"', domain or 'recipients = "any"')]).start()

    return start


def send(network, subject):
    with smtplib.SMTP(*network.RELAY, timeout=LIMIT_S) as session:
        session.sendmail("sender@outside.test", [ALICE], f"Subject: {subject}\r\n\r\ntext\r\n")


def until_taken(sink, count=1):
    wait.until(lambda: len(sink.messages) >= count, f"{count} messages at the server")


def until_refused(network, words):
    wait.until(lambda: words in network.log(), f"in the log: {words}")


def change(network, old, new):
    """Of the configuration, and SIGHUP."""
    text = network.config.read_text()
    assert old in text
    network.config.write_text(text.replace(old, new))
    network.parents[0].send_signal(signal.SIGHUP)


def test_opportunistic_with_any_certificate(start, sink, authority):
    sink.tls = context_of(authority.sign("other", ["other.test"]))
    network = start()
    send(network, "one")
    until_taken(sink)
    assert sink.ciphers[0][1] == "TLSv1.3"
    lines = next(session for session in sink.sessions if "(TLS)" in session)
    assert [line.split()[0] for line in lines[:4]] == ["EHLO", "STARTTLS", "(TLS)", "EHLO"]


def test_none_and_not_offered_are_plain(start, sink):
    network = start('tls = "none"')
    send(network, "one")
    until_taken(sink)
    change(network, 'tls = "none"', 'tls = "opportunistic"')
    sink.tls = None
    send(network, "two")
    until_taken(sink, 2)
    assert sink.ciphers == [None, None]


@pytest.mark.parametrize("answer", ["220 go on\r\nthis is no handshake", "454 4.7.0 not now", "220 2.0.0 go on"],
                         ids=["garbage", "refused", "old"])
def test_opportunistic_goes_on_in_plain_text(start, sink, answer):
    """Also with a server whose TLS is too old for us."""
    if answer == "220 2.0.0 go on":
        sink.tls.minimum_version = ssl.TLSVersion.TLSv1
        sink.tls.maximum_version = ssl.TLSVersion.TLSv1_1
    sink.answers["STAR"] = answer
    network = start()
    send(network, "one")
    if "handshake" in answer:
        until_refused(network, "the server went on in plain text at STARTTLS")
        del sink.answers["STAR"]
    until_taken(sink)
    assert sink.ciphers[0] is None or "handshake" in answer
    if answer.endswith("go on"):
        assert "TLS not established, plain text is used to=127.0.0.1:2600" in network.log()


def test_opportunistic_goes_on_after_a_mute_handshake(start, sink):
    """The server takes STARTTLS and says nothing more: on another connection it gets the message in plain text, and the
    next one without asking again."""
    sink.tls = None
    sink.answers["EHLO"] = "250-mail1.example.test\r\n250 STARTTLS"
    sink.answers["STAR"] = "220 2.0.0 go on"
    sink.goes_mute = "STAR"
    network = start()
    send(network, "one")
    until_taken(sink)
    assert "TLS not established, plain text is used to=127.0.0.1:2600 detail=\"the handshake took too long\"" in log_of(network)
    asked = len(sink.commands("STARTTLS"))
    send(network, "two")
    until_taken(sink, 2)
    assert sink.ciphers == [None, None]
    assert len(sink.commands("STARTTLS")) == asked


def test_required_waits_for_a_certificate_of_its_name(start, sink, authority):
    sink.tls = context_of(authority.sign("other", ["other.test"]))
    network = start('tls = "required"  tls_ca = "authority.pem"')
    send(network, "one")
    until_refused(network, "TLS: the peer's certificate is not trusted: hostname mismatch")
    assert network.queued() == 1 and not sink.messages and not sink.commands("MAIL FROM:<sender@")
    sink.tls = context_of(authority.sign("mail1", [HOST]))
    until_taken(sink)
    assert sink.ciphers[0]


def test_required_and_not_offered_waits(start, sink):
    context, sink.tls = sink.tls, None
    network = start('tls = "required"  tls_ca = "authority.pem"')
    send(network, "one")
    until_refused(network, "the server does not offer STARTTLS, which is required")
    assert not sink.messages
    sink.tls = context
    until_taken(sink)
    assert sink.ciphers[0]


def test_pinned_and_a_new_pin_by_reload(start, sink, authority):
    wrong = "0" * 64
    network = start(f'tls = "pinned"  tls_pins = {{"{wrong}"}}')
    send(network, "one")
    until_refused(network, "the peer's key is none of those that are pinned")
    assert not sink.messages
    change(network, wrong, certificates.pin(authority.folder / "mail1.pem"))
    until_taken(sink)
    assert sink.ciphers[0]


def test_a_server_with_broken_tls_does_not_work(start, sink, authority):
    """Nobody has sent anything: probes find it, and find it mended."""
    network = start('tls = "required"  tls_ca = "authority.pem"')
    network.until(lambda: network.server()["state"] == "operational", "a server that works")
    assert all("(TLS)" in session for session in sink.sessions if "QUIT" in session)
    sink.tls = context_of(authority.sign("other", ["other.test"]))
    network.until(lambda: network.server()["state"] == "inoperable", "that it does not")
    sink.tls = context_of(authority.sign("mail1", [HOST]))
    network.until(lambda: network.server()["state"] == "operational", "that it works again")


def test_what_is_said_in_plain_text_does_not_count(start, sink):
    """Before STARTTLS somebody on the way may say anything, as a size that nothing fits."""
    sink.plain_offers = ["SIZE 1"]
    network = start('tls = "required"  tls_ca = "authority.pem"')
    network.until(lambda: network.server()["state"] == "operational", "a server that works")
    with smtplib.SMTP(*network.RELAY, timeout=LIMIT_S) as session:
        session.ehlo("client.example")
        session.mail("sender@outside.test", ["SIZE=5000"])
        assert session.rcpt(ALICE)[0] == 250


def test_recipients_are_asked_about_under_tls(start, sink):
    network = start('tls = "required"  tls_ca = "authority.pem"', 'recipients = "verify"')
    network.until(lambda: network.server()["state"] == "operational", "a server that works")
    send(network, "one")
    until_taken(sink)
    asked = [session for session in sink.sessions if "RSET" in session]
    assert asked and all("(TLS)" in session for session in asked)
