"""What a recipient's server cannot take is refused when it comes, or sent so that it can: never found out at the drain."""

import pytest
import wait
from client import Client
from network import ALICE, BackupMx

SOURCE = "127.0.0.1"
SMALL, LARGE = 1000, 100_000


@pytest.fixture
def network(make_network, sink):
    """Its server's EHLO, as the next probe or delivery has it."""
    return make_network(BackupMx, "backup-mx.conf")


def offer(sink, *keywords):
    lines = ["mail1.example.test", *keywords]
    sink.answers["EHLO"] = "\r\n".join(f"250{'-' if i < len(lines) - 1 else ' '}{line}" for i, line in enumerate(lines))


def session(network):
    client = Client(network.RELAY, SOURCE)
    client.reply()
    client.ehlo = client.say("EHLO client.outside.test")
    return client


def rcpt(network, mail, address=ALICE):
    with session(network) as client:
        assert client.say(mail).startswith("250 ")
        return client.say(f"RCPT TO:<{address}>")


def test_smtputf8_goes_to_a_server_that_takes_it(network, sink):
    offer(sink, "SMTPUTF8", "8BITMIME")
    network.start()
    wait.until(lambda: rcpt(network, "MAIL FROM:<jörg@outside.test> SMTPUTF8").startswith("250 "), "what it offers")
    with session(network) as client:
        assert "SMTPUTF8" in client.ehlo and "LIMITS RCPTMAX=1000" in client.ehlo
        assert client.say("MAIL FROM:<jörg@bücher.test> SMTPUTF8").startswith("250 ")
        assert client.say("RCPT TO:<jürgen@example.test>").startswith("250 ")
        assert client.say("DATA").startswith("354 ")
        assert client.say("Subject: grüße\r\n\r\ntext\r\n.").startswith("250 ")
    wait.until(lambda: sink.messages, "the message")
    reverse_path, recipients, content = sink.messages[0]
    assert reverse_path == "jörg@bücher.test" and recipients == ["jürgen@example.test"]
    assert "Subject: grüße".encode() in content and b"with UTF8SMTP " in content
    assert any("SMTPUTF8" in line for line in sink.commands("MAIL"))


def test_smtputf8_is_refused_for_a_server_that_does_not(network):
    network.start()
    wait.until(lambda: rcpt(network, "MAIL FROM:<jörg@outside.test> SMTPUTF8").startswith("553 5.6.7 "), "the refusal")
    assert rcpt(network, "MAIL FROM:<jorg@outside.test>").startswith("250 ")


def test_while_nothing_is_known_smtputf8_waits_at_its_sender(network, sink):
    sink.stop()
    network.start()
    assert rcpt(network, "MAIL FROM:<jörg@outside.test> SMTPUTF8").startswith("450 4.6.7 ")
    assert rcpt(network, "MAIL FROM:<jorg@outside.test>").startswith("250 ")


def test_size(network, sink):
    offer(sink, f"SIZE {LARGE}")
    network.start()
    wait.until(lambda: rcpt(network, f"MAIL FROM:<a@outside.test> SIZE={LARGE + 1}").startswith("552 5.3.4 "), "the refusal")
    assert rcpt(network, f"MAIL FROM:<a@outside.test> SIZE={SMALL}").startswith("250 ")
    with session(network) as client:
        large = ("x" * 70 + "\r\n") * (LARGE // 72 + 1)
        said = client.send(ALICE, f"Subject: not said\r\n\r\n{large}")
        assert said.startswith("552 5.3.4 ") and f": <{ALICE}>" in said  # of all its recipients, whose server it is
    assert network.json("queue", "list") == []


def test_eight_bit_goes_as_it_is(network, sink):
    network.start()
    with session(network) as client:
        assert client.send(ALICE, "Subject: x\r\n\r\ngrüße\r\n").startswith("250 ")
    wait.until(lambda: sink.messages, "the message")
    assert "grüße".encode() in sink.contents()[0]


def test_an_international_domain_is_known_by_its_ascii_form(make_network, sink):
    offer(sink, "SMTPUTF8")
    network = make_network(BackupMx, "backup-mx.conf", [
        ('domain "example.test" {', 'domain "xn--bcher-kva.test" { server = "mail1"  relays = {"relay1"}  recipients = "any" }\n'
         'domain "example.test" {')]).start()
    utf8 = "MAIL FROM:<a@outside.test> SMTPUTF8"
    wait.until(lambda: rcpt(network, utf8, "alice@Bücher.test").startswith("250 "), "what it offers")
    assert rcpt(network, utf8, "alice@bücherei.test").startswith("550 5.7.1 ")
