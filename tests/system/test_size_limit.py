"""SIZE is judged where a message comes in: what our own parts add on its way does not make it too large."""

import smtplib

import reader
import sender

LIMIT_BYTES = 50 << 20
LINE = b"x" * 998 + b"\r\n"


def message(size_bytes):
    head = b"Subject: as large as it may be\r\n\r\n"
    lines, rest = divmod(size_bytes - len(head), len(LINE))
    return head + LINE * (lines - 1) + b"y" * (rest - 2 if rest > 2 else 0) + b"\r\n" * (rest > 2) + b"z" * 998 + b"\r\n"


def sizes(network):
    with reader.imap(network.HOME, network.IMAP, readonly=True) as session:
        _, rows = session.fetch("1:*", "(RFC822.SIZE)")
        return [int(row.split()[-1].rstrip(b")")) for row in rows if row]


def test_a_message_of_exactly_size_is_read(two_site):
    content = message(LIMIT_BYTES)
    assert len(content) == LIMIT_BYTES
    with smtplib.SMTP(two_site.RELAY_EAST, two_site.SMTP, timeout=sender.SMTP_LIMIT_S) as session:
        session.ehlo("sender.test")
        assert session.docmd(f"MAIL FROM:<a@b.test> SIZE={LIMIT_BYTES}")[0] == 250
        assert session.docmd("RCPT TO:<alice@example.test>")[0] == 250
        assert session.docmd("DATA")[0] == 354
        session.send(content + b".\r\n")
        assert session.getreply()[0] == 250
    two_site.until(lambda: two_site.queued() == 0, "the delivery of a message of exactly SIZE")
    assert [size for size in sizes(two_site) if size > LIMIT_BYTES]
    assert two_site.json("queue", "list") == []
