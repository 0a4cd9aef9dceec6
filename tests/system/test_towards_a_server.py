"""How mail reaches a server that says what it wants, and what its sender hears of it."""

import re

import certificates
import pytest
import wait
from client import Client
from external import External
from network import ALICE, BOB, BackupMx
from outside import OutsideDns
from test_notices import fields, quarantined, reports
from test_tls_delivery import context_of

SOURCE = "127.0.0.1"
OURS = "örtlich@example.test"


@pytest.fixture
def make_relay(make_network):
    """make_relay(keys, domain, more): of the relay, of the domain; further changes."""

    def make(keys='expire = "5d"', domain='recipients = "any"', more=()):
        return make_network(BackupMx, "backup-mx.conf", [
            ('expire = "5d"', keys), ('recipients = "any"', domain), *more]).start()

    return make


def offer(sink, *keywords):
    lines = ["mail1.example.test", *keywords]
    sink.answers["EHLO"] = "\r\n".join(f"250{'-' if i < len(lines) - 1 else ' '}{line}" for i, line in enumerate(lines))


def session(network):
    client = Client(network.RELAY, SOURCE)
    client.reply()
    client.ehlo = client.say("EHLO client.outside.test")
    return client


def send(network, *recipients, mail=f"MAIL FROM:<{BOB}>", content="Subject: x\r\n\r\ntext\r\n"):
    """recipients: as RCPT has them, with what follows."""
    with session(network) as client:
        assert client.say(mail).startswith("250 ")
        for to in recipients:
            assert client.say(f"RCPT TO:{to}").startswith("250 ")
        assert client.say("DATA").startswith("354 ")
        assert client.say(content + ".").startswith("250 ")


def test_what_it_refuses_us_waits(make_relay, sink):
    """RFC 3207 4: 530, whatever the mail. It says so of one message each "retry", and none is lost by it."""
    network = make_relay('expire = "5d"  bounce = "always"')
    sink.answers["MAIL"] = "530 5.7.0 Must issue a STARTTLS command first"
    for _ in range(25):
        send(network, f"<{ALICE}>")
    wait.until(lambda: len(sink.commands("MAIL")) >= 3, "some attempts")
    assert not quarantined(network) and len(network.json("queue", "list")) == 25
    del sink.answers["MAIL"]
    wait.until(lambda: len(sink.messages) == 25, "all of it")
    assert len(re.findall("mail waits: the server takes none from this relay", network.log())) == 1


def chunk(client, text, last=""):
    client.connection.sendall(f"BDAT {len(text)}{last}\r\n{text}".encode())
    return client.reply()


def test_by_chunks(make_relay, sink):
    """RFC 3030, in and out: what is a dot alone to DATA is none here."""
    offer(sink, "PIPELINING", "CHUNKING")
    network = make_relay()
    with session(network) as client:
        assert "CHUNKING" in client.ehlo
        client.say(f"MAIL FROM:<{BOB}>")
        client.say(f"RCPT TO:<{ALICE}>")
        assert chunk(client, "Subject: x\r\n").startswith("250 2.0.0 12 octets")
        assert chunk(client, "\r\none\r\n.\r\ntwo\r\n", " LAST").startswith("250 ")
    wait.until(lambda: sink.messages, "the message")
    assert sink.contents()[0].endswith(b"Subject: x\r\n\r\none\r\n.\r\ntwo\r\n")
    assert sink.commands("BDAT") and not sink.commands("DATA")


def test_within_its_limits(make_relay, sink):
    """RFC 9422: of recipients, of their domains, and of messages in a session."""
    offer(sink, "PIPELINING", "LIMITS RCPTMAX=2 MAILMAX=1")
    network = make_relay()
    send(network, *[f"<user{i}@example.test>" for i in range(5)])
    wait.until(lambda: sum(len(to) for _, to, _ in sink.messages) == 5, "all recipients")
    assert sorted(len(to) for _, to, _ in sink.messages) == [1, 2, 2]
    with sink.changed:
        assert all(sum(line.startswith("MAIL") for line in lines) <= 1 for lines in sink.sessions)


def test_by_lmtp_it_is_delivered(make_relay):
    """RFC 3464 2.3.3: who takes a message by LMTP is the last one."""
    external = External("127.0.0.1", 2600, 2143).start()
    try:
        network = make_relay(more=[('protocol = "smtp"', 'protocol = "lmtp"'), ('kind = "smtp"', 'kind = "tcp"'),
                                   ("smtp_port = 2600", "lmtp_port = 2600  imap_port = 2143")])
        send(network, f"<{ALICE}> NOTIFY=SUCCESS")
        network.until(lambda: reports(external), "a report")
        [(to, report)] = reports(external)
        assert to == [BOB] and fields(report)[1]["Action"] == "delivered"
    finally:
        external.stop()


def test_what_expires_says_what_was_answered(make_relay, sink):
    sink.answers["RCPT"] = lambda line: "452 4.2.2 mailbox full" if ALICE in line else "250 2.1.5 ok"
    network = make_relay('expire = "4s"  bounce = "always"')
    send(network, f"<{ALICE}>")
    network.until(lambda: reports(sink), "a report")
    [(to, report)] = reports(sink)
    _, of_alice = fields(report)
    assert to == [BOB] and of_alice["Status"] == "4.4.7" and of_alice["Last-Attempt-Date"] is None
    assert of_alice["Diagnostic-Code"] == "smtp;452 4.2.2 mailbox full"


def test_a_sender_in_ascii_reads_of_an_international_address(make_relay, sink):
    """RFC 6533: the report needs no SMTPUTF8."""
    offer(sink, "SMTPUTF8", "8BITMIME")
    sink.answers["RCPT"] = lambda line: "550 5.1.1 nobody here" if OURS in line else "250 2.1.5 ok"
    network = make_relay('expire = "5d"  bounce = "always"')
    wait.until(lambda: rcpt(network, OURS).startswith("250 "), "what it offers")
    send(network, f"<{OURS}> ORCPT=utf-8;ö@example.test", mail=f"MAIL FROM:<{BOB}> SMTPUTF8")
    network.until(lambda: reports(sink), "a report")
    [(to, report)] = reports(sink)
    _, of_recipient = fields(report)
    assert to == [BOB] and of_recipient["Final-Recipient"] == r"utf-8;\x{F6}rtlich@example.test"
    assert of_recipient["Original-Recipient"] == r"utf-8;\x{F6}@example.test"
    assert [line for line in sink.commands("MAIL FROM:<>") if "SMTPUTF8" in line] == []


def rcpt(network, to):
    with session(network) as client:
        client.say("MAIL FROM:<> SMTPUTF8")
        return client.say(f"RCPT TO:<{to}>")


def test_international_recipients_are_verified(make_relay, sink):
    offer(sink, "SMTPUTF8", "8BITMIME")
    sink.answers["RCPT"] = lambda line: "250 2.1.5 ok" if OURS in line else "550 5.1.1 nobody here"
    network = make_relay(domain='recipients = "verify"')
    wait.until(lambda: rcpt(network, OURS).startswith("250 "), "what it offers")
    assert rcpt(network, "ärgerlich@example.test").startswith("550 5.1.1 ")
    assert any(line.endswith(" SMTPUTF8") for line in sink.commands("MAIL"))


@pytest.fixture
def smarthost(make_sink, scratch):
    """127.0.0.62, as its name's address says; its certificate is of an authority that the system does not know."""
    dns = OutsideDns("127.0.0.1", 5390, {"smart.example": {"A": ["127.0.0.62"]}})
    host = make_sink("127.0.0.62", 2526)
    host.tls = context_of(certificates.Authority(scratch).sign("host", ["smart.example"]))
    yield host
    dns.stop()


def by_smarthost(make_network, tls):
    """A message that waits for our server is sent there."""
    network = make_network(BackupMx, "backup-mx.conf", [('retry = "1s"', f'''resolver = {{"127.0.0.1:5390"}}
        smarthost = "smart.example:2526"  outside_tls = "{tls}"  retry = "1s"''')]).start()
    send(network, f"<{ALICE}>")
    network.must("queue", "move", "--all", "--to", "*")
    return network


@pytest.mark.parametrize("tls, encrypted", [("opportunistic", True), ("none", False)])
def test_tls_with_a_smarthost(make_network, smarthost, tls, encrypted):
    by_smarthost(make_network, tls)
    wait.until(lambda: smarthost.messages, "the message")
    assert bool(smarthost.ciphers[0]) == encrypted


def test_a_smarthost_that_is_not_proved_gets_nothing(make_network, smarthost):
    network = by_smarthost(make_network, "required")
    network.until(lambda: "TLS: " in network.json("queue", "list")[0]["last_reply"], "why it waits")
    assert not smarthost.messages
