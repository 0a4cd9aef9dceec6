"""A sender that wants to hurt hurts itself: memory and disk are bounded whatever it sends, each thing has its reply, and
others are served meanwhile. (Its time: tests/unit/smtp/test_connection.c, by a simulated clock.)"""

import pathlib
import re
import resource
import socket

import ledger as ledgers
import program
import pytest
import wait
from client import Client
from network import BackupMx

PROXY, HOSTILE = "127.0.0.9", "127.0.0.7"
SIZE_MAX = 4 << 20
SETTINGS = f'message_size_max = "4MiB"  proxy_from = {{"{PROXY}"}}  retry = "1s"'
IMPATIENT = 'idle_timeout = "1s"'  # the least
MEMORY_MAX_KIB = 64 << 10
PIECE = (b"x" * 1022 + b"\r\n") * 1024  # 1 MiB
IDLE = 10_000
RECIPIENTS, RECIPIENTS_MAX, BATCH = 100_000, 1000, 2000


class Relay:
    """Judged by what it has used and by whom it has served."""

    def __init__(self, network, pid, ledger):
        self.network, self.pid, self.ledger = network, pid, ledger

    def serves_others(self):
        attempt = self.network.mta(self.ledger).attempt_by(BackupMx.RELAY[0])
        assert attempt.outcome == ledgers.ACCEPTED, attempt.reply

    def written_bytes(self):
        """To files and sockets, in all its life."""
        return int(re.search(r"wchar: (\d+)", pathlib.Path(f"/proc/{self.pid}/io").read_text()).group(1))

    def hostile(self):
        session = Client(BackupMx.RELAY, HOSTILE)
        assert session.reply().startswith("220 ")
        assert session.say("EHLO hostile.test").startswith("250-")
        return session


@pytest.fixture
def relay(start_built_relay, ledger, request):
    network, process = start_built_relay([('retry = "1s"', f"{SETTINGS}  {getattr(request, 'param', '')}")])
    found = Relay(network, process.pid, ledger)
    yield found
    found.serves_others()
    assert program.peak_kib(process.pid) < MEMORY_MAX_KIB


def begin_message(session):
    assert session.say("MAIL FROM:<a@hostile.test>").startswith("250 ")
    assert session.say("RCPT TO:<alice@example.test>").startswith("250 ")
    assert session.say("DATA").startswith("354 ")


def test_a_message_far_beyond_size(relay):
    """A gibibyte, where four mebibytes are taken."""
    before = relay.written_bytes()
    with relay.hostile() as session:
        begin_message(session)
        for number in range(1024):
            session.connection.sendall(PIECE)
            if number % 256 == 0:
                relay.serves_others()
        assert session.say(".").startswith("552 5.3.4 ")
        assert relay.written_bytes() - before < 4 * SIZE_MAX  # what came before it was too large, and others' mail
        assert session.send("alice@example.test").startswith("250 ")


def test_100000_recipients(relay):
    with relay.hostile() as session:
        assert session.say("MAIL FROM:<a@hostile.test>").startswith("250 ")
        replies = []
        for first in range(0, RECIPIENTS, BATCH):
            session.connection.sendall(b"".join(
                b"RCPT TO:<user%d@example.test>\r\n" % number for number in range(first, first + BATCH)))
            replies += [session.reply() for _ in range(BATCH)]
        assert all(reply.startswith("250 ") for reply in replies[:RECIPIENTS_MAX])
        assert all(reply.startswith("452 4.5.3 ") for reply in replies[RECIPIENTS_MAX:])
        relay.serves_others()
        assert session.say("DATA").startswith("354 ")
        assert session.say("Subject: x\r\n\r\nto those that were taken\r\n.").startswith("250 ")


def test_100000_recipients_of_a_hundred_messages(relay):
    """All of them long, and each with what its sender called it: together they have a bound, a hundred of each are taken."""
    count = RECIPIENTS_MAX
    lines = b"".join(b"RCPT TO:<%s%d@example.test> ORCPT=rfc822;%s@example.test\r\n" % (b"u" * 60, number, b"o" * 400)
                     for number in range(count))
    sessions = []
    try:
        for _ in range(RECIPIENTS // count):
            sessions.append(relay.hostile())
            assert sessions[-1].say("MAIL FROM:<a@hostile.test>").startswith("250 ")
            sessions[-1].connection.sendall(lines)
            replies = [sessions[-1].reply()[:9] for _ in range(count)]
            assert set(replies[:100]) == {"250 2.1.5"} and set(replies) <= {"250 2.1.5", "452 4.3.1"}
        assert replies[-1] == "452 4.3.1"
        relay.serves_others()
        assert sessions[-1].say("DATA").startswith("354 ")
        assert sessions[-1].say("Subject: x\r\n\r\nto those that were taken\r\n.").startswith("250 ")
    finally:
        for session in sessions:
            session.close()


def test_header_lines_of_a_mebibyte_are_delivered_as_they_are(relay, make_sink):
    content = (b"Subject: " + b"s" * (1 << 20) + b"\r\nMessage-ID: <" + b"m" * (1 << 20) + b">\r\nReceived: by "
               + b"r" * (1 << 20) + b"\r\n\r\ntext\r\n")
    sink = make_sink()
    with relay.hostile() as session:
        begin_message(session)
        session.connection.sendall(content)
        assert session.say(".").startswith("250 ")
    wait.until(lambda: sink.messages, "the message")
    assert any(taken.endswith(content) for taken in sink.contents())


def test_nuls_are_refused_at_the_end(relay):
    with relay.hostile() as session:
        begin_message(session)
        session.connection.sendall(b"Subject: \0\0\r\nX-\0: \0\r\n\r\n\0" + b"\0" * (1 << 20) + b"\r\n")
        assert session.say(".").startswith("554 5.6.0 ")
        assert session.send("alice@example.test").startswith("250 ")


@pytest.mark.parametrize("junk, count", [(b"\0" * (1 << 20), 64), (b"x" * (1 << 20), 64)], ids=["NULs", "letters"])
def test_a_command_line_without_end(relay, junk, count):
    with relay.hostile() as session:
        for _ in range(count):
            session.connection.sendall(junk)
        relay.serves_others()
        assert session.say("").startswith("500 5.5.2 ")
        assert session.send("alice@example.test").startswith("250 ")


@pytest.mark.parametrize("place", ["a command", "a message", "a chunk"])
@pytest.mark.parametrize("relay", [IMPATIENT], indirect=True, ids=["impatient"])
def test_who_drips_is_told_to_go(relay, place):
    """A byte at a time, as long as it likes."""
    with relay.hostile() as session:
        if place == "a message":
            begin_message(session)
        elif place == "a chunk":
            session.say("MAIL FROM:<a@hostile.test>")
            session.say("RCPT TO:<alice@example.test>")
            session.connection.sendall(b"BDAT 1000000 LAST\r\n")
        relay.serves_others()
        said = b""
        session.connection.setblocking(False)

        def drips():
            nonlocal said
            try:
                session.connection.send(b"x")
                said += session.connection.recv(1000)
            except BlockingIOError:
                pass
            except ConnectionError:
                return True
            return said.endswith(b"\r\n")

        wait.until(drips, "a word to who drips")
        assert said.startswith(b"421 4.4.2 ")


# ---- connections ----

def connect(client):
    """Of a client elsewhere; it says nothing more, and does not go away."""
    connection = socket.create_connection(BackupMx.RELAY, timeout=30, source_address=(PROXY, 0))
    connection.sendall(f"PROXY TCP4 {client} 127.0.0.1 4711 25\r\n".encode())
    return connection


@pytest.fixture
def descriptors():
    """Of this process, for both ends of what it holds."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = IDLE + 1000
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], needed), max(before[1], needed)))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("client_of, word", [
    (lambda number: "192.0.2.1", b"421 4.7.0 Too many connections from your address"),
    (lambda number: f"198.18.{number // 100}.1", b"421 4.7.0 Too many connections: idle ones are ended first"),
], ids=["of one client", "of a hundred clients"])
def test_10000_idle_connections(relay, descriptors, client_of, word):
    connections = []
    try:
        for number in range(IDLE):
            connections.append(connect(client_of(number)))
            if number % 1000 == 0:
                relay.serves_others()
        wait.until(lambda: any(word in said(connection) for connection in connections), "a word to one of them")
        with Client(BackupMx.RELAY, PROXY, b"PROXY TCP4 203.0.113.7 127.0.0.1 4711 25\r\n") as other:
            assert other.reply().startswith("220 ")
            other.say("EHLO other.test")
            assert other.send("alice@example.test").startswith("250 ")
    finally:
        for connection in connections:
            connection.close()


def said(connection):
    connection.setblocking(False)
    try:
        return connection.recv(4096)
    except (BlockingIOError, ConnectionError):
        return b""
