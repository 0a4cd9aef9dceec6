"""A message with a LF or CR alone, which RFC 5321 forbids, is refused; or, where the relay is told so (`bare_newlines =
"normalise"`), reaches its reader with each of them as CRLF. What ends a message is CRLF.CRLF either way."""

import pytest
from client import Client
from network import ALICE, TwoSite

CLIENT = "127.0.0.7"
SENT = b"Subject: bare\r\nX-Client: old\n\r\none\ntwo\rthree\n.\nfour\r\n.\r\n"
READ = b"Subject: bare\r\nX-Client: old\r\n\r\none\r\ntwo\r\nthree\r\n.\r\nfour\r\n"


@pytest.fixture
def start(make_network):
    """start(keys): the network, with these keys in the relay of the east."""

    def start(keys=""):
        hostname = 'hostname = "relay-east.example.test"'
        return make_network(TwoSite, "two-site.conf", [(hostname, f"{hostname}  {keys}")]).start()

    return start


def hand_in(network):
    """The reply to the message's end."""
    with Client((network.RELAY_EAST, 2525), CLIENT) as client:
        client.reply()
        for line in ("EHLO old.test", "MAIL FROM:<sender@outside.test>", f"RCPT TO:<{ALICE}>"):
            assert client.say(line).startswith("250")
        assert client.say("DATA").startswith("354 ")
        client.connection.sendall(SENT)
        return client.reply()


def test_they_are_refused(start):
    network = start()
    assert hand_in(network).startswith("550 5.6.0 ")


def test_they_are_normalised_where_asked_for(start):
    network = start('bare_newlines = "normalise"')
    assert hand_in(network).startswith("250 2.0.0 ")
    [content] = network.until(network.imap_messages, "the message")
    assert content.endswith(READ)
    assert content.count(b"\n") == content.count(b"\r") == content.count(b"\r\n")
