"""What senders do wrong gets the right reply, and harms nobody else."""

import smtplib
import subprocess

import ledger as ledgers
import pytest
import sender


@pytest.fixture
def smtp(two_site):
    session = smtplib.SMTP(two_site.RELAY_EAST, two_site.SMTP, timeout=sender.SMTP_LIMIT_S)
    session.ehlo("sender.test")
    yield session
    session.close()


def reply(answer):
    code, text = answer
    return f"{code} {text.decode()}"


def test_a_line_that_is_too_long(smtp):
    assert reply(smtp.docmd("NOOP " + "x" * 5000)).startswith("500 5.5.2")
    assert smtp.docmd("NOOP")[0] == 250


def test_a_message_over_size_is_refused_by_its_announcement(smtp):
    assert smtp.esmtp_features["size"] == str(50 << 20)
    assert reply(smtp.docmd(f"MAIL FROM:<a@b.test> SIZE={(50 << 20) + 1}")).startswith("552 5.3.4")


def test_a_message_over_size_that_was_not_announced(smtp):
    smtp.docmd("MAIL FROM:<a@b.test>")
    assert smtp.docmd("RCPT TO:<alice@example.test>")[0] == 250
    assert smtp.docmd("DATA")[0] == 354
    piece = (b"x" * 78 + b"\r\n") * 13000  # 1 MiB
    for _ in range(52):
        smtp.send(piece)
    smtp.send(b".\r\n")
    assert reply(smtp.getreply()).startswith("552 5.3.4")
    assert smtp.docmd("NOOP")[0] == 250


def test_an_unknown_recipient(smtp):
    smtp.docmd("MAIL FROM:<a@b.test>")
    assert reply(smtp.docmd("RCPT TO:<nobody@example.test>")).startswith("550 5.1.1")


def test_a_domain_of_others(smtp):
    smtp.docmd("MAIL FROM:<a@b.test>")
    assert reply(smtp.docmd("RCPT TO:<a@elsewhere.test>")).startswith("550 5.7.1")


def test_an_unknown_recipient_at_the_server(two_site):
    with smtplib.SMTP(two_site.HOME, two_site.SMTP, timeout=sender.SMTP_LIMIT_S) as session:
        session.ehlo("sender.test")
        session.docmd("MAIL FROM:<a@b.test>")
        assert reply(session.docmd("RCPT TO:<nobody@example.test>")).startswith("550 5.1.1")


def test_good_and_bad_recipients_of_one_message(two_site, ledger):
    attempt = ledger.open(sender.SENDER, ["alice@example.test"])
    with smtplib.SMTP(two_site.RELAY_EAST, two_site.SMTP, timeout=sender.SMTP_LIMIT_S) as session:
        refused = session.sendmail(sender.SENDER, ["alice@example.test", "nobody@example.test"], attempt.content)
    assert list(refused) == ["nobody@example.test"]
    attempt.outcome = ledgers.ACCEPTED
    two_site.judge(ledger)


def test_swaks_by_pipelining(two_site):
    """A sender of another make."""
    done = subprocess.run(
        ["swaks", "--server", f"{two_site.RELAY_WEST}:{two_site.SMTP}", "--to", "alice@example.test", "--from",
         "a@b.test", "--pipeline", "--header", "X-Tag: by-swaks"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    two_site.until(lambda: any(b"by-swaks" in raw for raw in two_site.imap_messages()), "its message")


@pytest.mark.parametrize("junk", [b"\x00" * 4000, b"\xff\xfe" * 3000, b"GET / HTTP/1.0\r\n\r\n", b"\r\n" * 3000])
def test_what_is_no_smtp_at_all(two_site, ledger, junk):
    import socket
    with socket.create_connection((two_site.RELAY_EAST, two_site.SMTP), timeout=sender.SMTP_LIMIT_S) as stream:
        stream.recv(1000)
        stream.sendall(junk)
    assert len(two_site.mta(ledger).send_by(two_site.RELAY_EAST, 1)) == 1


@pytest.mark.parametrize("odd", [b"X-Long: " + b"x" * (1 << 20), b"X-Nul: \0x\0"], ids=["a line of a mebibyte", "NULs"])
def test_a_message_that_is_odd_is_read_as_it_was_sent(two_site, ledger, odd):
    attempt = ledger.open(sender.SENDER, ["alice@example.test"])
    attempt.content = odd + b"\r\n" + attempt.content
    session = sender.Session(two_site.RELAY_EAST, two_site.SMTP)
    assert session.send(attempt), attempt.reply
    assert attempt.outcome == ledgers.ACCEPTED, attempt.reply
    session.close()
    two_site.await_delivered(ledger)
    ledger.judge(two_site.imap_messages())  # Python's POP3 takes no such lines
