"""A session's memory is bounded whatever the message's size: 100 sessions that send 50 MiB each, at once."""

import re
import smtplib
import threading

import program
import pytest
import release
import wait
from network import BackupMx, relay_greets

SESSIONS = 100
MESSAGE_BYTES = 50 << 20
PIECE = (b"x" * 1022 + b"\r\n") * 1024  # 1 MiB
PEAK_MAX_KIB = 64 << 10


@pytest.fixture
def relay(make_network, monkeypatch):
    """A release build's relay alone; its server does not run, so that all of it is kept."""
    monkeypatch.setattr(program, "BINARY", str(release.build()))
    network = make_network(BackupMx, "backup-mx.conf")
    process = network.spawn("relay", "--node", "relay1")
    wait.until(lambda: relay_greets(*BackupMx.RELAY), "a relay that greets", abandon=process.poll)
    return process


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


def peak_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1))


@pytest.mark.timeout(400)
def test_100_sessions_of_50_mib_each(relay):
    under_way, replies = threading.Barrier(SESSIONS, timeout=120), {}
    threads = [threading.Thread(target=send, args=(number, under_way, replies)) for number in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {code for code, _ in replies.values()} == {250} and len(replies) == SESSIONS
    peak = peak_kib(relay.pid)
    print(f"VmHWM {peak} KiB")
    assert peak < PEAK_MAX_KIB
