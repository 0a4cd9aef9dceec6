"""recipients = "verify": an external server is asked whom it has, and what it said holds while it is down, for each
relay and after a start of theirs."""

import itertools
import smtplib
import socket
import sqlite3

import pytest
from network import BackupMx
from sender import SMTP_LIMIT_S
from sink import HANG

KNOWN, GONE, NOBODY = "alice@example.test", "gone@example.test", "nobody@example.test"
UNKNOWN_REPLY = "550 5.1.1 <%s>: Recipient address rejected: User unknown in local recipient table"
SECOND_RELAY = '''node "relay2" { site = "home"  roles = {"relay"} }
relay "relay2" {
    node = "relay2"  hostname = "relay2.example.test"  address = {"127.0.0.2"}  listen = {"127.0.0.2:2525"}
}
domain "example.test"'''
RELAY2 = ("127.0.0.2", 2525)


@pytest.fixture
def make_relay(make_network):
    def make(keys="", changes=()):
        verify = ('recipients = "any"', f'recipients = "verify"  {keys}')
        return make_network(BackupMx, "backup-mx.conf", [verify, *changes]).start()

    return make


@pytest.fixture
def server(make_sink):
    """It has one user."""
    sink = make_sink()
    sink.answers["RCPT"] = lambda line: "250 2.1.5 ok" if f"<{KNOWN}>" in line.lower() else UNKNOWN_REPLY % line[9:-1]
    return sink


def rcpt(to, relay=BackupMx.RELAY):
    """The answer to RCPT: its code and its enhanced one."""
    with smtplib.SMTP(*relay, timeout=SMTP_LIMIT_S) as session:
        session.ehlo("client.example")
        session.docmd("MAIL FROM:<sender@client.example>")
        code, text = session.docmd(f"RCPT TO:<{to}>")
        return code, text.decode().split()[0]


def send(to):
    with smtplib.SMTP(*BackupMx.RELAY, timeout=SMTP_LIMIT_S) as session:
        session.sendmail("sender@client.example", [to], "Subject: to one\r\n\r\nhello\r\n")


OK, REFUSED, DEFERRED = (250, "2.1.5"), (550, "5.1.1"), (450, "4.1.1")


def await_state(relay, state):
    relay.until(lambda: relay.server()["state"] == state, f"a server that is {state}")


def select(network, query):
    with sqlite3.connect(f"file:{network.state_dir}/store/network.db?mode=ro", uri=True) as db:
        return db.execute(query).fetchall()


def remembered(network):
    return select(network, "SELECT address, known FROM recipient WHERE address NOT LIKE 'never%' ORDER BY address")


def test_the_server_is_asked_once_and_its_word_holds(make_relay, server):
    relay = make_relay()
    await_state(relay, "operational")
    assert rcpt(KNOWN) == OK
    assert rcpt(GONE) == REFUSED
    assert rcpt("Postmaster") == OK
    assert [rcpt(KNOWN.upper()), rcpt(GONE)] == [OK, REFUSED]
    assert server.commands("RCPT") == [f"RCPT TO:<{KNOWN}>", f"RCPT TO:<{GONE}>"]
    assert set(server.commands("MAIL")) == {"MAIL FROM:<>"}
    send(KNOWN)
    relay.until(lambda: len(server.messages) == 1, "the message")


@pytest.mark.parametrize("policy, answer", [("defer", DEFERRED), ("accept", OK), ("reject", REFUSED)])
def test_the_server_is_down(make_relay, server, policy, answer):
    relay = make_relay(f'unknown = "{policy}"')
    await_state(relay, "operational")
    assert [rcpt(KNOWN), rcpt(GONE)] == [OK, REFUSED]
    server.stop()
    await_state(relay, "inoperable")
    assert [rcpt(KNOWN), rcpt(GONE), rcpt(NOBODY)] == [OK, REFUSED, answer]


def test_what_was_accepted_unseen_and_is_refused_later_is_quarantined(make_relay, server):
    relay = make_relay('unknown = "accept"')
    await_state(relay, "operational")
    server.stop()
    await_state(relay, "inoperable")
    send(NOBODY)
    send(KNOWN)
    server.start()
    relay.until(lambda: len(server.messages) == 1, "the message for who is there")
    [listed] = relay.until(lambda: [d for d in relay.json("queue", "list") if d["state"] == "quarantined"],
                           "the other one, quarantined")
    assert listed["recipient"] == NOBODY and "5.1.1" in listed["last_reply"]
    relay.until(lambda: len(select(relay, "SELECT 1 FROM event WHERE kind = 'quarantined'")) == 1, "its event")
    assert server.messages[0][1] == [KNOWN]
    assert all(f"<{NOBODY}>" not in line for line in server.commands("MAIL"))  # no bounce


def test_a_start_of_the_relay_forgets_nothing(make_relay, server):
    relay = make_relay('unknown = "reject"')
    await_state(relay, "operational")
    assert [rcpt(KNOWN), rcpt(GONE)] == [OK, REFUSED]
    relay.stop()
    server.stop()
    relay.parents.clear()
    relay.start()
    await_state(relay, "inoperable")
    assert [rcpt(KNOWN), rcpt(GONE), rcpt(NOBODY)] == [OK, REFUSED, REFUSED]


def test_the_other_relay_knows_it_too(make_relay, server):
    relay = make_relay(changes=[('domain "example.test"', SECOND_RELAY), ('{"relay1"}', '{"relay1", "relay2"}')])
    await_state(relay, "operational")
    assert [rcpt(KNOWN), rcpt(GONE)] == [OK, REFUSED]
    relay.until(lambda: remembered(relay) == [(KNOWN, 1), (GONE, 0)], "the snapshot")
    server.stop()
    numbers = itertools.count()
    relay.until(lambda: rcpt(f"never-{next(numbers)}@example.test", RELAY2) == DEFERRED, "the other relay's view")
    assert [rcpt(KNOWN, RELAY2), rcpt(GONE, RELAY2)] == [OK, REFUSED]
    assert sum(KNOWN in line for line in server.commands("RCPT")) == 1


@pytest.mark.parametrize("trouble", ["451 4.7.1 greylisted", "554 5.7.1 your network is not welcome", "550 5.7.1 no",
                                     "421 4.3.2 going down"])
def test_an_answer_about_something_else_is_not_remembered(make_relay, server, trouble):
    relay = make_relay('unknown = "reject"')
    await_state(relay, "operational")
    honest = server.answers["RCPT"]
    server.answers["RCPT"] = trouble
    assert rcpt(KNOWN) == DEFERRED
    server.answers["RCPT"] = honest
    assert rcpt(KNOWN) == OK


def test_a_server_that_does_not_answer_in_time_is_as_one_that_is_down(make_relay, server):
    relay = make_relay('verify_timeout = "300ms"  unknown = "accept"')
    await_state(relay, "operational")
    server.answers["RCPT"] = HANG
    assert rcpt(NOBODY) == OK


def test_a_client_that_goes_away_while_the_server_is_asked(make_relay, server):
    relay = make_relay()
    await_state(relay, "operational")
    honest = server.answers["RCPT"]
    server.answers["RCPT"] = HANG
    with socket.create_connection(BackupMx.RELAY, timeout=SMTP_LIMIT_S) as connection:
        connection.sendall(b"HELO client.example\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<%s>\r\n" % NOBODY.encode())
        relay.until(lambda: any(NOBODY in line for line in server.commands("RCPT")), "the question")
    server.answers["RCPT"] = honest
    assert rcpt(KNOWN) == OK
    relay.stop()  # with the question still open


def test_pipelined_recipients_are_answered_in_order(make_relay, server):
    await_state(make_relay(), "operational")
    with socket.create_connection(BackupMx.RELAY, timeout=SMTP_LIMIT_S) as connection:
        replies = connection.makefile("rb")
        connection.sendall(b"EHLO client.example\r\n")
        while not replies.readline().startswith((b"220 ", b"250 ")):
            pass
        while not replies.readline().startswith(b"250 "):
            pass
        wanted = [KNOWN, GONE, "postmaster@example.test", NOBODY, KNOWN]
        connection.sendall(b"MAIL FROM:<a@b.test>\r\n" + b"".join(b"RCPT TO:<%s>\r\n" % to.encode() for to in wanted)
                           + b"DATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n")
        codes = [int(line[:3]) for line in replies]
    assert codes == [250, 250, 550, 250, 550, 250, 354, 250, 221]


def test_many_that_are_unknown_do_not_wear_the_server_out(make_relay, server):
    """Sessions end before a server would cut them for their errors."""
    await_state(make_relay(), "operational")
    with smtplib.SMTP(*BackupMx.RELAY, timeout=SMTP_LIMIT_S) as session:
        session.ehlo("client.example")
        session.docmd("MAIL FROM:<sender@client.example>")
        for number in range(15):
            code, _ = session.docmd(f"RCPT TO:<made-up-{number}@example.test>")
            assert code == 550
    refused = [sum(line.startswith("RCPT") for line in commands) for commands in server.sessions]
    assert sum(refused) == 15 and max(refused) <= 8
