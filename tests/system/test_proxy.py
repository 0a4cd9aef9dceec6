"""The PROXY protocol: from the proxies that are named, and from nobody else."""

import re

import pytest
import wait
from client import Client
from network import ALICE, BackupMx, TwoSite

PROXY, STRANGER = "127.0.0.9", "127.0.0.8"
V2 = b"\r\n\r\n\0\r\nQUIT\n"
NAMED = f'proxy_from = {{"{PROXY}"}}'


def of(client):
    return f"PROXY TCP4 {client} 127.0.0.1 4711 25\r\n".encode()


@pytest.fixture
def network(make_network, sink):
    return make_network(BackupMx, "backup-mx.conf", [
        ('retry = "1s"', f'{NAMED}  client_connections_max = 1  retry = "1s"')]).start()


@pytest.mark.parametrize("header", [of("192.0.2.77"), V2 + b"\x21\x11\0\x13\xc0\0\x02\x4d\x7f\0\0\x01\x12\x67\0\x19\x04\0\x04tlvs"],
                         ids=["v1", "v2"])
def test_the_announced_client_is_the_client(network, sink, header):
    with Client(network.RELAY, PROXY, header) as client:
        assert client.reply().startswith("220 ")
        client.say("EHLO client.outside.test")
        assert client.say("RCPT TO:<x>").startswith("503 ")
        assert client.send(ALICE).startswith("250 ")
    assert re.search(r"accepted .*client=192\.0\.2\.77 ", network.log())
    assert re.search(r"refused .*client=192\.0\.2\.77 ", network.log())
    wait.until(lambda: sink.messages, "the message")
    assert b"Received: from client.outside.test ([192.0.2.77])" in sink.contents()[0]


def test_limits_are_the_announced_clients(network):
    with Client(network.RELAY, PROXY, of("192.0.2.77")) as first, Client(network.RELAY, PROXY, of("192.0.2.78")) as other:
        assert first.reply().startswith("220 ") and other.reply().startswith("220 ")
        with Client(network.RELAY, PROXY, of("192.0.2.77")) as second:
            assert second.reply().startswith("421 4.7.0 Too many connections from your address")


def test_the_proxys_own_look(network):
    with Client(network.RELAY, PROXY, V2 + b"\x20\0\0\0") as client:
        assert client.reply().startswith("220 ")
        assert client.say("QUIT").startswith("221 ")


def test_without_the_header_nothing_is_served(network):
    with Client(network.RELAY, PROXY, b"EHLO client.outside.test\r\n") as client:
        assert client.reply() == ""
    assert re.search(rf"connection of a proxy closed proxy={re.escape(PROXY)} .*no PROXY header", network.log())


def test_a_stranger_is_not_believed(network, sink):
    with Client(network.RELAY, STRANGER, of("192.0.2.77")) as client:
        assert client.reply().startswith("220 ")
        assert client.reply().startswith("500 ")
        client.say("EHLO client.outside.test")
        assert client.send(ALICE).startswith("250 ")
    wait.until(lambda: sink.messages, "the message")
    assert b"Received: from client.outside.test ([127.0.0.8])" in sink.contents()[0]


def test_readers_and_submission_behind_a_proxy(make_network):
    """A client that is not on this machine gets no password's prompt in plain text, proxy or not."""
    network = make_network(TwoSite, "two-site.conf", [
        ('hostname = "mail1.example.test"', f'hostname = "mail1.example.test"  {NAMED}')]).start()
    for port, greeting, ask in ((network.IMAP, "* OK", "a CAPABILITY"), (network.POP3, "+OK", "CAPA")):
        for client, expected in (("192.0.2.77", False), ("127.0.0.1", True)):
            with Client((network.HOME, port), PROXY, of(client)) as session:
                assert session.lines.readline().decode().startswith(greeting)
                session.connection.sendall(ask.encode() + b"\r\nQUIT\r\nb LOGOUT\r\n")
                assert (b"PLAIN" in session.lines.read()) == expected
    with Client((network.HOME, network.SUBMISSION), PROXY, of("192.0.2.77")) as session:
        assert session.reply().startswith("220 ")
        assert "AUTH" not in session.say("EHLO client.outside.test")
