"""A message during which the connection breaks each time goes to quarantine after a few losses, and other mail flows; a
server that breaks off whatever is sent, for a while, is no reason to quarantine anything. One that evokes 421 each time
waits, longer and longer, and holds up nothing."""

import smtplib
import threading

import pytest
from network import BackupMx
from sender import SMTP_LIMIT_S
from sink import DROP, WELL

POISON = "poison@b.test"  # the sender whose mail crashes the server


@pytest.fixture
def relay(make_network):
    return make_network(BackupMx, "backup-mx.conf", [('retry = "1s"', 'losses_max = 3  retry = "200ms"')]).start()


def test_a_poison_message_is_quarantined_and_other_mail_flows(relay, ledger, make_sink):
    sink = make_sink()
    sink.answers["MAIL"] = lambda line: DROP if POISON in line else WELL["MAIL"]
    relay.until(lambda: relay.server()["state"] == "operational", "a server that works")
    with smtplib.SMTP(*relay.RELAY, timeout=SMTP_LIMIT_S) as session:
        session.sendmail(POISON, ["alice@example.test"], "Subject: poison\r\n\r\n")
    relay.mta(ledger).send(10)
    relay.until(lambda: ledger.has_all(sink.contents()), "the other mail")
    [listed] = relay.until(lambda: [d for d in relay.json("queue", "list") if d["state"] == "quarantined"],
                           "the poison message, quarantined")
    assert listed["losses"] == 2  # before the last one, which ended it
    ledger.judge(sink.contents())


def evoke(sink, stage):
    """Of the poison message: 421, at this stage."""
    session = threading.local()  # a thread each

    def answer(verb):
        def say(line):
            if verb == "MAIL":
                session.poison = POISON in line
            return "421 4.3.0 worker lost" if verb == stage and session.poison else WELL[verb]
        return say

    for verb in ("MAIL", stage):
        sink.answers[verb] = answer(verb)


@pytest.mark.parametrize("stage", ["RCPT", "DATA", "."], ids=["RCPT", "DATA", "final dot"])
def test_a_message_that_evokes_421_waits_alone(relay, ledger, make_sink, stage):
    sink = make_sink()
    evoke(sink, stage)
    relay.until(lambda: relay.server()["state"] == "operational", "a server that works")
    with smtplib.SMTP(*relay.RELAY, timeout=SMTP_LIMIT_S) as session:
        session.sendmail(POISON, ["alice@example.test"], "Subject: poison\r\n\r\n")

    def put_off_twice():
        relay.mta(ledger).send(5)
        return [d for d in relay.json("queue", "list") if d["sender"] == POISON and d["attempts"] >= 2]

    [listed] = relay.until(put_off_twice, "the poison message, put off twice")
    relay.until(lambda: ledger.has_all(sink.contents()), "the other mail")
    assert (listed["state"], listed["losses"]) == ("waiting", 0)
    ledger.judge(sink.contents())


def test_a_server_that_breaks_off_all_mail_gets_it_later(relay, ledger, make_sink):
    sink = make_sink()
    relay.until(lambda: relay.server()["state"] == "operational", "a server that works")
    sink.answers["."] = DROP
    relay.mta(ledger).send(6)
    relay.until(lambda: any(d["losses"] >= 1 for d in relay.json("queue", "list")), "losses")
    relay.until(lambda: len(sink.commands("DATA")) >= 7, "a second loss of one of them")
    assert not [d for d in relay.json("queue", "list") if d["state"] == "quarantined"]
    sink.answers.pop(".")
    relay.until(lambda: ledger.has_all(sink.contents()), "all of it")
