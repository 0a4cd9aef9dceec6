"""imaplib and poplib: a full round trip through every command that a reader's program needs."""

import imaplib
import poplib
import threading

import pytest
import reader
from ledger import tag_of

NOTE = b"From: <a@b.test>\r\nSubject: a note\r\nX-Tag: note\r\n\r\nkeep this\r\n"


@pytest.fixture
def mail(two_site, ledger):
    """A network with five messages of alice."""
    two_site.mta(ledger).send(5, sessions=1)
    two_site.await_delivered(ledger)
    return two_site


def ok(answer):
    status, data = answer
    assert status == "OK", data
    return data


def test_imap_round_trip(mail, ledger):
    with reader.imap(mail.HOME, mail.IMAP) as imap:
        ledger.judge([part[1] for part in ok(imap.fetch("1:*", "(BODY.PEEK[])")) if isinstance(part, tuple)])
        assert ok(imap.search(None, "UNSEEN")) == [b"1 2 3 4 5"]
        ok(imap.fetch("1", "(BODY[TEXT])"))
        assert ok(imap.search(None, "SEEN")) == [b"1"]
        ok(imap.store("2", "+FLAGS", r"(\Flagged)"))
        assert ok(imap.search(None, "FLAGGED")) == [b"2"]
        subject = next(iter(ledger.accepted()))
        assert len(ok(imap.search(None, "SUBJECT", f'"{subject}"'))[0].split()) == 1

        ok(imap.create("Archive"))
        assert any(b"Archive" in line for line in ok(imap.list()))
        ok(imap.copy("1:2", "Archive"))
        ok(imap.append("Archive", r"(\Seen)", imaplib.Time2Internaldate(1700000000), NOTE))
        ok(imap.store("1", "+FLAGS", r"(\Deleted)"))
        assert ok(imap.expunge()) == [b"1"]
        assert ok(imap.search(None, "ALL")) == [b"1 2 3 4"]
        assert b"MESSAGES 3" in ok(imap.status("Archive", "(MESSAGES UNSEEN)"))[0]

        ok(imap.select("Archive"))
        raw = ok(imap.fetch("3", "(BODY.PEEK[])"))[0][1]
        assert raw == NOTE
        ok(imap.close())
        ok(imap.rename("Archive", "Kept"))
        ok(imap.subscribe("Kept"))
        assert any(b"Kept" in line for line in ok(imap.lsub()))
        ok(imap.delete("Kept"))


def test_imap_uids_stay(mail):
    with reader.imap(mail.HOME, mail.IMAP) as imap:
        uids = ok(imap.uid("SEARCH", None, "ALL"))[0].split()
        ok(imap.uid("STORE", uids[2], "+FLAGS", r"(\Deleted)"))
        ok(imap.expunge())
    with reader.imap(mail.HOME, mail.IMAP) as imap:
        assert ok(imap.uid("SEARCH", None, "ALL"))[0].split() == uids[:2] + uids[3:]


def test_imap_idle_tells_of_a_new_message(mail, ledger):
    with reader.imap(mail.HOME, mail.IMAP) as imap:
        assert b" IDLE" in ok(imap.capability())[0]
        imap.send(b"i1 IDLE\r\n")
        assert imap.readline().startswith(b"+")
        sending = threading.Thread(target=lambda: mail.mta(ledger).send(1, sessions=1))
        sending.start()
        line = imap.readline()
        while not line.endswith(b" EXISTS\r\n"):
            assert line, "the connection ended"
            line = imap.readline()
        assert line == b"* 6 EXISTS\r\n"
        imap.send(b"DONE\r\n")
        while not imap.readline().startswith(b"i1 OK"):
            pass
        sending.join()


def test_two_sessions_see_each_other(mail):
    with reader.imap(mail.HOME, mail.IMAP) as one, reader.imap(mail.HOME, mail.IMAP) as other:
        ok(one.store("1", "+FLAGS", r"(\Answered)"))
        ok(other.noop())
        assert ok(other.search(None, "ANSWERED")) == [b"1"]


def test_pop3_round_trip(mail, ledger):
    with reader.pop3(mail.HOME, mail.POP3) as pop3:
        count, size = pop3.stat()
        listed = pop3.list()[1]
        assert count == 5 and len(listed) == 5
        assert size == sum(int(line.split()[1]) for line in listed)
        unique = [line.split()[1] for line in pop3.uidl()[1]]
        assert len(set(unique)) == 5
        assert b"X-Tag" in b"\n".join(pop3.top(1, 0)[1])
        pop3.dele(2)
        pop3.rset()
        pop3.dele(3)
        assert pop3.stat()[0] == 4
    with reader.pop3(mail.HOME, mail.POP3) as pop3:
        assert [line.split()[1] for line in pop3.uidl()[1]] == unique[:2] + unique[3:]


def test_pop3_without_quit_deletes_nothing(mail):
    pop3 = poplib.POP3(mail.HOME, mail.POP3, timeout=reader.READ_LIMIT_S)
    pop3.user("alice@example.test")
    pop3.pass_(reader.PASSWORD)
    pop3.dele(1)
    pop3.close()
    assert len(mail.imap_messages()) == 5


def test_what_pop3_deletes_is_gone_by_imap(mail):
    with reader.pop3(mail.HOME, mail.POP3) as pop3:
        gone = tag_of(b"\r\n".join(pop3.retr(1)[1]) + b"\r\n")
        pop3.dele(1)
    left = {tag_of(raw) for raw in mail.imap_messages()}
    assert len(left) == 4 and gone not in left
