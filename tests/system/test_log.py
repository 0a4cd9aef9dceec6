"""The log tells each message's life, as an administrator looks for it."""

import imaplib
import json
import re
import smtplib
import socket

import sender
from network import ALICE, BOB

PASSWORD = "holdfast"


def log_bytes(network):
    """Of the roles, and of the instances that the provisioner started."""
    return b"".join(path.read_bytes() for path in [network.log_path, *(network.state_dir / "log").glob("*")])


def lines(network, *words):
    """Lines of the log that hold all the words."""
    return [line for line in log_bytes(network).decode(errors="replace").splitlines()
            if all(word in line for word in words)]


def await_line(network, *words):
    network.until(lambda: lines(network, *words), f"a line of the log with {words}")
    return lines(network, *words)[0]


def send(address, port, recipients, login=None):
    with smtplib.SMTP(address, port, timeout=sender.SMTP_LIMIT_S) as session:
        session.ehlo("sender.test")
        if login:
            session.login(*login)
        assert session.mail("a@b.test")[0] == 250
        replies = [session.rcpt(recipient)[0] for recipient in recipients]
        assert 250 in replies
        return session.data(b"Message-ID: <one@sender.test>\r\nSubject: x\r\n\r\nhello\r\n")


def custody_id(reply):
    code, text = reply
    assert code == 250
    found = re.fullmatch(r"2\.0\.0 Accepted as (\S+)", text.decode())
    assert found, text
    return found[1]


def test_a_message_is_told_from_acceptance_to_the_mailbox(two_site):
    id = custody_id(send(two_site.RELAY_EAST, two_site.SMTP, [ALICE, BOB]))
    accepted = await_line(two_site, " relay@east1: accepted ", f"id={id}")
    for field in ("client=127.0.0.1", "helo=sender.test", "sender=a@b.test", "recipients=2", "size=",
                  'message_id=<one@sender.test>'):
        assert field in accepted
    for user in (ALICE, BOB):
        await_line(two_site, " mailbox@east1: stored ", f"id={id}", f"recipient={user}")
        delivered = await_line(two_site, " relay@east1: delivered ", f"id={id}", f"recipient={user}")
        assert "server=mail1" in delivered and f"Accepted as {id}" in delivered
        assert re.search(r" delay_ms=\d+ ", delivered)


def guess_names(two_site, count):
    """A session ends at its twentieth refusal: in as many as it takes."""
    for first in range(0, count, 10):
        with smtplib.SMTP(two_site.RELAY_EAST, two_site.SMTP, timeout=sender.SMTP_LIMIT_S) as session:
            session.ehlo("sender.test")
            session.mail("a@b.test")
            for number in range(first, first + 10):
                session.rcpt(f"flood{number}@example.test")


def test_refusals_are_told_and_a_flood_of_them_is_summed_up(two_site):
    with smtplib.SMTP(two_site.RELAY_EAST, two_site.SMTP, timeout=sender.SMTP_LIMIT_S) as session:
        session.ehlo("sender.test")
        session.mail("a@b.test")
        session.rcpt("nobody@example.test")
        refused = await_line(two_site, " relay@east1: refused ", "recipient=nobody@example.test")
        assert "stage=RCPT" in refused and "sender=a@b.test" in refused and "550 5.1.1" in refused
    guess_names(two_site, 200)
    await_line(two_site, " relay@east1: more like this ", "client=127.0.0.1")
    assert len(lines(two_site, " refused ", "recipient=flood")) < 200


def test_what_a_client_says_reaches_no_terminal_raw(two_site):
    with socket.create_connection((two_site.RELAY_EAST, two_site.SMTP), timeout=sender.SMTP_LIMIT_S) as stream:
        stream.recv(1000)
        stream.sendall(b"EHLO x\r\nMAIL FROM:<\x1b[2J\x9b\t@b>\r\n")
        await_line(two_site, " refused ", "\\x1b[2J\\x9b\\x09")
    assert b"\x1b" not in log_bytes(two_site)


def test_logins_and_submissions_are_told(two_site):
    reader = imaplib.IMAP4(two_site.HOME, two_site.IMAP)
    reader.login(ALICE, PASSWORD)
    await_line(two_site, ": login ", "protocol=IMAP", f"user={ALICE}", "client=127.0.0.1")
    reader.logout()
    reader = imaplib.IMAP4(two_site.HOME, two_site.IMAP)
    try:
        reader.login(BOB, "wrong")
        raise AssertionError("a wrong password was taken")
    except imaplib.IMAP4.error:
        pass
    await_line(two_site, ": login failed ", "protocol=IMAP", f"name={BOB}", "client=127.0.0.1")
    id = custody_id(send(two_site.HOME, two_site.SUBMISSION, [BOB], login=(ALICE, PASSWORD)))
    await_line(two_site, ": submitted ", f"user={ALICE}", f"Accepted as {id}")
    assert "wrong" not in "".join(lines(two_site, "login failed"))
    assert json.loads(two_site.command("trace", id, "--json").stdout)


def test_the_lines_of_messages_can_be_left_out(make_network):
    from network import TwoSite
    network = make_network(TwoSite, "two-site.conf",
                           [('store { url', 'system { log_messages = "none" }\nstore { url')]).start()
    send(network.RELAY_EAST, network.SMTP, [ALICE, "nobody@example.test"])
    network.until(lambda: network.imap_messages(), "the message")
    assert not lines(network, " accepted ") and not lines(network, " refused ") and not lines(network, " stored ")
