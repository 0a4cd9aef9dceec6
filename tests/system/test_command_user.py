"""`user`: who was added can log in and gets mail, who was removed cannot and gets none."""

import imaplib

import program
import pytest
import reader
from network import ALICE, BOB, TwoSite

CAROL = "carol@example.test"


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
