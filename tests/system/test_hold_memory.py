"""A session's memory is bounded whatever the message's size: 100 sessions that send 50 MiB each, at once."""

import smtplib
import threading

import program
import pytest
from network import BackupMx

SESSIONS = 100
MESSAGE_BYTES = 50 << 20
PIECE = (b"x" * 1022 + b"\r\n") * 1024  # 1 MiB
PEAK_MAX_KIB = 64 << 10


@pytest.fixture
def relay(start_built_relay):
    """Its server does not run, so that all of it is kept."""
    return start_built_relay()[1]


def send(number, under_way, replies):
    """under_way: nobody goes on before all are in the midst of their message."""
    with smtplib.SMTP(*BackupMx.RELAY, timeout=300) as smtp:
        smtp.ehlo("sender.test")
        smtp.docmd("MAIL FROM:<a@b.test>")
        smtp.docmd(f"RCPT TO:<user{number}@example.test>")
        smtp.docmd("DATA")
        smtp.send(PIECE)
        under_way.wait()
        for _ in range(MESSAGE_BYTES // len(PIECE) - 1):
            smtp.send(PIECE)
        smtp.send(b".\r\n")
        replies[number] = smtp.getreply()


@pytest.mark.timeout(400)
def test_100_sessions_of_50_mib_each(relay):
    under_way, replies = threading.Barrier(SESSIONS, timeout=120), {}
    threads = [threading.Thread(target=send, args=(number, under_way, replies)) for number in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {code for code, _ in replies.values()} == {250} and len(replies) == SESSIONS
    peak = program.peak_kib(relay.pid)
    print(f"VmHWM {peak} KiB")
    assert peak < PEAK_MAX_KIB
