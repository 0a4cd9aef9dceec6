"""Limits on what comes in a time: of one client, whoever speaks for him, and of all together."""

import re
import signal

import pytest
import wait
from client import Client
from network import ALICE, BackupMx

FRONT, STRANGER = "127.0.0.9", "127.0.0.8"
NOBODY = "nobody{}@example.test"


@pytest.fixture
def start(make_network, sink, scratch):
    """A relay with these limits, behind a server that is a named proxy; only ALICE is known."""
    (scratch / "recipients").write_text(f"{ALICE}\n")

    def start(limits, front="proxy_from"):
        return make_network(BackupMx, "backup-mx.conf", [
            ('recipients = "any"', 'recipients = "list"  recipients_file = "recipients"'),
            ('retry = "1s"', f'retry = "1s"  {front} = {{"{FRONT}"}}  {limits}')]).start()
    return start


class From(Client):
    """A session of the client, through the front, up to its EHLO."""

    def __init__(self, network, client):
        super().__init__(network.RELAY, FRONT, f"PROXY TCP4 {client} 127.0.0.1 4711 25\r\n".encode())
        self.greeting = self.reply()
        self.hello = self.say("EHLO client.outside.test") if self.greeting.startswith("220 ") else ""

    def mail(self):
        self.say("RSET")
        return self.say("MAIL FROM:<sender@outside.test>")


def guess(session, count):
    session.mail()
    return [session.say(f"RCPT TO:<{NOBODY.format(i)}>")[:9] for i in range(count)]


def test_messages(start):
    network = start('client_message_rate = "2/1h"  rate_exempt = {"198.51.100.0/24"}')
    with From(network, "192.0.2.77") as session:
        assert [session.mail()[:3] for _ in range(2)] == ["250", "250"]
        assert re.match(r"450 4\.7\.1 Too many messages from your address, more than 2/1h; come back in \d+[hms]\r\n",
                        session.mail())
        with From(network, "192.0.2.77") as again, From(network, "192.0.2.78") as other:
            assert again.mail().startswith("450 4.7.1 ")
            assert other.send(ALICE).startswith("250 ")
    with From(network, "198.51.100.7") as exempt, Client(network.RELAY, STRANGER) as on_this_machine:
        assert [exempt.mail()[:3] for _ in range(5)] == ["250"] * 5
        on_this_machine.reply()
        on_this_machine.say("EHLO client.outside.test")
        assert [on_this_machine.send(ALICE)[:3] for _ in range(5)] == ["250"] * 5
    assert re.search(r"refused stage=MAIL client=192\.0\.2\.77 .*Too many messages", network.log())
    network.until(lambda: network.relay("relay1")["work"]["limited_messages"] == 2, "two refusals in the status")


def test_what_a_pipelining_client_sent_behind_mail_too_many_is_no_error(start):
    network = start('client_message_rate = "1/1h"  client_error_rate = "5/1h"')
    with From(network, "192.0.2.77") as session:
        session.mail()
        session.say("RSET")
        session.connection.sendall("\r\n".join(["MAIL FROM:<sender@outside.test>"] + [f"RCPT TO:<{ALICE}>"] * 30 + ["DATA\r\n"]).encode())
        assert [session.reply()[:9] for _ in range(32)] == ["450 4.7.1"] + ["503 5.5.1"] * 31
        assert session.say("NOOP").startswith("250 ")
    with From(network, "192.0.2.77") as second:
        assert second.greeting.startswith("220 ")


def test_what_was_accepted_of_a_message_goes_on(start):
    network = start('client_recipient_rate = "2/1h"')
    with From(network, "192.0.2.77") as session:
        session.mail()
        assert [session.say(f"RCPT TO:<{ALICE}>")[:9] for _ in range(3)] == ["250 2.1.5", "250 2.1.5", "450 4.7.1"]
        assert session.say("DATA").startswith("354 ")
        assert session.say("Subject: x\r\n\r\ntext\r\n.").startswith("250 ")


def test_connections(start):
    network = start('client_connection_rate = "2/1h"')
    for _ in range(2):
        with From(network, "192.0.2.77") as session:
            assert session.greeting.startswith("220 ")
    with From(network, "192.0.2.77") as refused, From(network, "192.0.2.78") as other:
        assert refused.greeting.startswith("421 4.7.0 Too many connections from your address, more than 2/1h; come back")
        assert refused.reply() == ""
        assert other.greeting.startswith("220 ")
    assert re.search(r"connection refused client=192\.0\.2\.77 .*more than 2/1h", network.log())


def test_who_guesses_cannot_come_again_and_go_on(start):
    network = start('client_error_rate = "30/1h"')
    with From(network, "192.0.2.77") as open_before:
        with From(network, "192.0.2.77") as first:
            assert guess(first, 20) == ["550 5.1.1"] * 19 + ["421 4.7.0"]  # errors_max
            assert first.reply() == ""
        with From(network, "192.0.2.77") as second:
            assert guess(second, 11) == ["550 5.1.1"] * 10 + ["421 4.7.0"]
        assert open_before.say("WHAT").startswith("421 4.7.0 Too many errors from your address, more than 30/1h")
        assert open_before.reply() == ""
    with From(network, "192.0.2.77") as third, From(network, "192.0.2.78") as other:
        assert third.greeting.startswith("421 4.7.0 Too many errors from your address")
        assert other.send(ALICE).startswith("250 ")
        assert guess(other, 1) == ["550 5.1.1"]


def test_all_together(start):
    network = start('connection_rate = "4/1h"  message_rate = "2/1h"  recipient_rate = "2/1h"  error_rate = "2/1h"')
    with From(network, "192.0.2.1") as one, From(network, "192.0.2.2") as two, From(network, "192.0.2.3") as three:
        one.mail()
        assert [one.say(f"RCPT TO:<{ALICE}>")[:9] for _ in range(3)] == ["250 2.1.5", "250 2.1.5", "451 4.3.2"]
        assert two.mail().startswith("250 ")
        assert three.mail().startswith("451 4.3.2 Too many messages of all clients together, more than 2/1h; come back")
        assert [one.say("WHAT")[:3], two.say("WHAT")[:3]] == ["500", "500"]
        assert three.say("WHAT").startswith("421 4.3.2 Too many errors of all clients together")
        assert two.say("NOOP").startswith("250 ")  # who makes none is not concerned
        with From(network, "192.0.2.4") as four, From(network, "192.0.2.5") as five:
            assert four.greeting.startswith("220 ")
            assert five.greeting.startswith("421 4.3.2 Too many connections of all clients together")


def test_by_xclient(start):
    network = start('client_connection_rate = "2/1h"  client_message_rate = "1/1h"', "xclient_from")
    for _ in range(3):  # who speaks for others is not limited himself, nor one whom he does not know
        with Client(network.RELAY, FRONT) as session:
            assert session.reply().startswith("220 ")
            session.say("EHLO front.outside.test")
            assert session.send(ALICE).startswith("250 ")
            session.say("XCLIENT ADDR=[UNAVAILABLE]")
            session.say("EHLO client.outside.test")
            assert session.send(ALICE).startswith("250 ")
    said = []
    for _ in range(3):
        with Client(network.RELAY, FRONT) as session:
            session.reply()
            session.say("EHLO front.outside.test")
            said.append(session.say("XCLIENT ADDR=192.0.2.77")[:9])
            if said[-1].startswith("220 "):
                session.say("EHLO client.outside.test")
                said.append(session.say("MAIL FROM:<sender@outside.test>")[:9])
    assert [said[0][:4], said[2][:4]] == ["220 ", "220 "]
    assert [said[1], *said[3:]] == ["250 2.1.0", "450 4.7.1", "421 4.7.0"]


def test_a_reload_holds_for_open_sessions(start):
    network = start('client_message_rate = "1/1h"')
    with From(network, "192.0.2.77") as session:
        session.mail()
        assert session.mail().startswith("450 ")
        network.config.write_text(network.config.read_text().replace('"1/1h"', '"none"'))
        network.parents[0].send_signal(signal.SIGHUP)
        wait.until(lambda: session.mail().startswith("250 "), "no limit")
