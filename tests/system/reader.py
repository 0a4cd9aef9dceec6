"""Readers: what a user finds by IMAP and POP3."""

import contextlib
import imaplib
import poplib

PASSWORD = "holdfast"
READ_LIMIT_S = 30


@contextlib.contextmanager
def imap(address, port, user="alice@example.test", password=PASSWORD, mailbox="INBOX", readonly=False, tls=None):
    """A session that is logged in and has selected the mailbox. tls: the context, where it is to be under TLS."""
    session = imaplib.IMAP4(address, port, timeout=READ_LIMIT_S)
    try:
        if tls:
            session.starttls(tls)
        session.login(user, password)
        status, data = session.select(mailbox, readonly=readonly)
        assert status == "OK", data
        yield session
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            session.logout()


@contextlib.contextmanager
def pop3(address, port, user="alice@example.test", password=PASSWORD, tls=None):
    session = poplib.POP3(address, port, timeout=READ_LIMIT_S)
    try:
        if tls:
            session.stls(tls)
        session.user(user)
        session.pass_(password)
        yield session
    finally:
        with contextlib.suppress(OSError, poplib.error_proto):
            session.quit()


def imap_messages(address, port, **login):
    """Every message of INBOX, whole, nothing marked as read."""
    with imap(address, port, readonly=True, **login) as session:
        status, data = session.fetch("1:*", "(BODY.PEEK[])") if has_messages(session) else ("OK", [])
        assert status == "OK", data
        return [part[1] for part in data if isinstance(part, tuple)]


def has_messages(session):
    status, data = session.search(None, "ALL")
    assert status == "OK", data
    return bool(data[0])


def pop3_messages(address, port, **login):
    with pop3(address, port, **login) as session:
        count, _ = session.stat()
        return [b"\r\n".join(session.retr(number)[1]) + b"\r\n" for number in range(1, count + 1)]
