"""At the relay's limit of connections the one that is idle longest makes room for a new one. An envelope alone is idle: who
has said MAIL and RCPT keeps nobody out; who sends a message is never cut for another."""

import contextlib

import pytest
from client import Client
from network import ALICE, BackupMx

LIMIT, SOURCE, OTHER = 3, "127.0.0.7", "127.0.0.8"
PROXY = "127.0.0.9"  # who speaks for clients elsewhere: those of this machine are let in above the limit


@pytest.fixture
def relay(make_network, make_sink):
    make_sink()
    return make_network(BackupMx, "backup-mx.conf", [('retry = "1s"', f'connections_max = {LIMIT}  proxy_from = {{"{PROXY}"}}  retry = "1s"')]).start()


def envelope(stack):
    """A session that has named a recipient."""
    client = stack.enter_context(Client(BackupMx.RELAY, SOURCE))
    assert client.reply().startswith("220 ")
    for line in ("EHLO client.test", "MAIL FROM:<sender@outside.test>", f"RCPT TO:<{ALICE}>"):
        assert client.say(line).startswith("250")
    return client


def test_envelopes_keep_nobody_out(relay):
    with contextlib.ExitStack() as stack:
        idle = [envelope(stack) for _ in range(LIMIT)]
        other = stack.enter_context(Client(BackupMx.RELAY, OTHER))
        assert other.reply().startswith("220 ")
        assert idle[0].reply().startswith("421 ")
        other.say("EHLO other.test")
        assert other.send(ALICE).startswith("250 ")


def foreign(stack, number):
    return stack.enter_context(Client(BackupMx.RELAY, PROXY, f"PROXY TCP4 192.0.2.{number} 127.0.0.1 4711 25\r\n".encode()))


def test_who_sends_a_message_is_never_cut(relay):
    with contextlib.ExitStack() as stack:
        busy = [foreign(stack, number) for number in range(1, LIMIT + 1)]
        for client in busy:
            assert client.reply().startswith("220 ")
            for line in ("EHLO client.test", "MAIL FROM:<sender@outside.test>", f"RCPT TO:<{ALICE}>"):
                assert client.say(line).startswith("250")
            assert client.say("DATA").startswith("354 ")
        for number in range(101, 101 + LIMIT):
            refused = foreign(stack, number)
            assert refused.reply().startswith("421 ")
            assert refused.reply() == ""
        for client in busy:
            assert client.say("Subject: x\r\n\r\ntext\r\n.").startswith("250 ")
        assert foreign(stack, 200).reply().startswith("220 ")
        assert busy[0].reply().startswith("421 ")  # idle now, the longest
