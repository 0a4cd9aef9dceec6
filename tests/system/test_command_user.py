"""`user`: who was added can log in and gets mail, who was removed cannot and gets none."""

import imaplib
import smtplib

import program
import pytest
import reader
import sender
from network import ALICE, BOB, TwoSite

CAROL = "carol@example.test"
PASSWORD = "holdfast"


def log_in(network, password):
    with reader.imap(network.reading_address(), network.IMAP, user=CAROL, password=password):
        return True


def test_added_changed_and_removed(two_site, ledger):
    mta = two_site.mta(ledger)
    assert two_site.json("user", "list") == [ALICE, BOB]
    assert two_site.command("user", "add", CAROL, stdin="first secret\n").returncode == program.DONE
    assert two_site.must("user", "list").split() == [ALICE, BOB, CAROL]
    assert mta.send_by(two_site.HOME, 1, to=[CAROL]), "the server knows carol at once"
    two_site.until(lambda: mta.send_by(two_site.RELAY_EAST, 1, to=[CAROL]), "a relay that knows carol")
    two_site.until(lambda: reader.imap_messages(two_site.HOME, TwoSite.IMAP, user=CAROL, password="first secret"),
                   "her message")

    assert two_site.command("user", "passwd", CAROL, stdin="second secret\n").returncode == program.DONE
    two_site.until(lambda: log_in(two_site, "second secret"), "the new password")
    with pytest.raises(imaplib.IMAP4.error):
        log_in(two_site, "first secret")

    two_site.must("user", "remove", CAROL)
    assert two_site.json("user", "list") == [ALICE, BOB]
    two_site.until(lambda: not mta.send_by(two_site.RELAY_EAST, 1, to=[CAROL]), "a relay that refuses carol")
    assert list(ledger.attempts.values())[-1].reply.startswith("550 5.1.1")

    def is_refused():
        try:
            return not log_in(two_site, "second secret")
        except imaplib.IMAP4.error:
            return True

    two_site.until(is_refused, "a refused log-in")
    again = two_site.command("user", "remove", CAROL)
    assert again.returncode == program.FAILED and "does not exist" in again.stderr


def answers(address, port, recipients, login=None):
    """To RCPT, in one session that is asked before and after."""
    with smtplib.SMTP(address, port, timeout=sender.SMTP_LIMIT_S) as session:
        session.ehlo("sender.test")
        if login:
            session.login(*login)
        session.mail(ALICE)
        return [session.rcpt(recipient)[0] for recipient in recipients]


def test_who_was_just_added_is_refused_nowhere(two_site):
    """By no relay and no server, however old what they have read may be."""
    for number in range(5):
        new, absent = f"new{number}@example.test", f"absent{number}@example.test"
        assert two_site.command("user", "add", new, stdin="a secret\n").returncode == program.DONE
        for place in ((two_site.RELAY_EAST, two_site.SMTP), (two_site.RELAY_WEST, two_site.SMTP),
                      (two_site.HOME, two_site.SUBMISSION, (ALICE, PASSWORD))):
            address, port, *login = place
            assert answers(address, port, [new, absent], *login) == [250, 550], (number, place)
