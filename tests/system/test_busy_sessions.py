"""At the relay's limit of connections the one that is idle longest makes room for a new one. An envelope alone is idle: who
has said MAIL and RCPT keeps nobody out."""

import contextlib

import pytest
from client import Client
from network import ALICE, BackupMx

LIMIT, SOURCE, OTHER = 3, "127.0.0.7", "127.0.0.8"


@pytest.fixture
def relay(make_network, make_sink):
    make_sink()
    return make_network(BackupMx, "backup-mx.conf", [('retry = "1s"', f'connections_max = {LIMIT}  retry = "1s"')]).start()


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
