"""Until then the relay attempts delivery periodically: what it attempts is a real message while one waits, a probe
otherwise."""

import wait
from sender import SENDER

ATTEMPTS = 4


def mails_for_real(sink):
    return [line for line in sink.commands("MAIL") if SENDER in line]


def test_a_probe_while_nothing_waits(backup_mx, make_sink):
    sink = make_sink()
    sink.answers["MAIL"] = "451 4.3.0 not today"
    wait.until(lambda: len(sink.commands("EHLO")) >= ATTEMPTS, "several probes")
    assert mails_for_real(sink) == []


def test_a_real_message_while_one_waits(backup_mx, make_sink, ledger):
    """A server that answers probes well and yet takes nothing: only a real message finds that out."""
    sink = make_sink()
    sink.answers["MAIL"] = "421 4.3.0 going down"
    backup_mx.mta(ledger).send_by(backup_mx.RELAY[0], 1)
    wait.until(lambda: len(mails_for_real(sink)) >= ATTEMPTS, "several attempts with the message")
    assert backup_mx.queued() == 1
    del sink.answers["MAIL"]
    backup_mx.until(lambda: backup_mx.queued() == 0, "its delivery")
    ledger.judge(sink.contents())


def test_one_attempt_decides_for_all_that_wait(backup_mx, make_sink, ledger):
    sink = make_sink()
    sink.answers["greeting"] = "421 4.3.2 not taking mail"
    backup_mx.until(lambda: backup_mx.server()["state"] == "inoperable", "an inoperable server")
    backup_mx.mta(ledger).send(60)
    before = len(sink.sessions)
    wait.until(lambda: len(sink.sessions) >= before + ATTEMPTS, "several attempts")
    assert len(sink.sessions) < before + 60, "not one attempt for each message"
    del sink.answers["greeting"]
    backup_mx.until(lambda: backup_mx.queued() == 0, "an empty queue")
    ledger.judge(sink.contents())
