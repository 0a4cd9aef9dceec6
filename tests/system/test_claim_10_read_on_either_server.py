"""The user reads the message by POP3 or IMAP4, on either server, with the same login."""

import imaplib
import poplib

import pytest
import reader

USERS = ("alice@example.test", "bob@example.test")


def test_the_same_login_and_the_same_mail(two_site, ledger):
    for user in USERS:
        two_site.mta(ledger).send(5, to=user)
    for user in USERS:
        two_site.judge(ledger, user)
    before = state_of_mailbox(two_site)
    two_site.kill_node("east1")
    two_site.await_operational_at(two_site.REMOTE)
    for user in USERS:
        two_site.judge(ledger, user)
    assert state_of_mailbox(two_site) == before, "what a reader's program relies on is the same"


def state_of_mailbox(network):
    """UIDVALIDITY, UIDs, flags by IMAP; unique ids by POP3."""
    address = network.reading_address()
    with reader.imap(address, network.IMAP, readonly=True) as session:
        uids = session.uid("FETCH", "1:*", "(UID FLAGS)")[1]
        validity = session.response("UIDVALIDITY")[1]
    with reader.pop3(address, network.POP3) as session:
        unique_ids = session.uidl()[1]
    return uids, validity, unique_ids


def test_a_wrong_password_opens_neither(two_site):
    assert_refused(two_site, two_site.HOME)
    two_site.kill_node("east1")
    two_site.await_operational_at(two_site.REMOTE)
    assert_refused(two_site, two_site.REMOTE)


def assert_refused(network, address):
    with pytest.raises(imaplib.IMAP4.error, match="(?i)auth|login|password"):
        with reader.imap(address, network.IMAP, password="wrong"):
            pass
    with pytest.raises(poplib.error_proto):
        with reader.pop3(address, network.POP3, password="wrong"):
            pass


def test_a_new_password_holds_on_the_other_server(two_site, ledger):
    two_site.mta(ledger).send(2)
    done = two_site.command("user", "passwd", "alice@example.test", stdin="another one\n")
    assert done.returncode == 0, done.stderr
    two_site.until(lambda: len(reader.imap_messages(two_site.HOME, two_site.IMAP, password="another one")) == 2,
                   "the new password's effect")
    two_site.kill_node("east1")
    two_site.await_operational_at(two_site.REMOTE)
    ledger.judge(reader.imap_messages(two_site.REMOTE, two_site.IMAP, password="another one"))
    ledger.judge(reader.pop3_messages(two_site.REMOTE, two_site.POP3, password="another one"))
