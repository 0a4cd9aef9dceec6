"""Programs that people use: curl, mutt, mbsync."""

import os
import subprocess

import pytest
from ledger import tag_of

PROGRAM_LIMIT_S = 60


@pytest.fixture
def mail(two_site, ledger):
    two_site.mta(ledger).send(5, sessions=1)
    two_site.await_delivered(ledger)
    return two_site


def run(argv, **options):
    done = subprocess.run([str(word) for word in argv], capture_output=True, timeout=PROGRAM_LIMIT_S,
                          stdin=subprocess.DEVNULL, **options)
    assert done.returncode == 0, f"{argv}: {done.stdout.decode()}{done.stderr.decode()}"
    return done.stdout


def curl(*words):
    return run(["curl", "--silent", "--show-error", "--user", "alice@example.test:holdfast", *words])


def test_curl_by_imap(mail, ledger):
    imap = f"imap://{mail.HOME}:{mail.IMAP}"
    assert b"INBOX" in curl(imap)
    ledger.judge([curl(f"{imap}/INBOX;MAILINDEX={number}") for number in range(1, 6)])
    tag = next(iter(ledger.accepted()))
    assert len(curl(f"{imap}/INBOX?SUBJECT%20{tag}").split()) == 3, "* SEARCH and one number"


def test_curl_appends_by_imap(mail, scratch):
    note = scratch / "note"
    note.write_bytes(b"Subject: a note\r\nX-Tag: note\r\n\r\ntext\r\n")
    curl("--upload-file", note, f"imap://{mail.HOME}:{mail.IMAP}/INBOX")
    assert "note" in {tag_of(raw) for raw in mail.imap_messages()}


def test_curl_by_pop3(mail, ledger):
    pop3 = f"pop3://{mail.HOME}:{mail.POP3}"
    assert len(curl(f"{pop3}/").split(b"\r\n")) >= 5
    ledger.judge([curl(f"{pop3}/{number}") for number in range(1, 6)])


def test_curl_sends(mail, scratch):
    note = scratch / "note"
    note.write_bytes(b"Subject: a note\r\nX-Tag: by-curl\r\n\r\ntext\r\n")
    run(["curl", "--silent", "--show-error", f"smtp://{mail.RELAY_WEST}:{mail.SMTP}", "--mail-from", "a@b.test",
         "--mail-rcpt", "alice@example.test", "--upload-file", note])
    mail.until(lambda: "by-curl" in {tag_of(raw) for raw in mail.imap_messages()}, "curl's message")


MUTTRC = """set ssl_starttls=no
set ssl_force_tls=no
set imap_user="alice@example.test"
set imap_pass="holdfast"
set folder="imap://{address}:{port}/"
set spoolfile="=INBOX"
set mail_check=0
set sleep_time=0
set quit=yes
set delete=yes
set move=no
set copy=no
set confirmappend=no
set confirmcreate=no
set wait_key=no
set mark_old=no
set header_cache=""
set certificate_file=""
"""


def mutt(mail, scratch, keys):
    """Plays keys in mutt, which ends itself by the last of them."""
    rc = scratch / "muttrc"
    rc.write_text(MUTTRC.format(address=mail.HOME, port=mail.IMAP) + f'push "{keys}"\n')
    run(["script", "--quiet", "--return", "--command", f"mutt -n -F {rc}", "/dev/null"],
        env={**os.environ, "TERM": "xterm", "HOME": str(scratch), "LINES": "24", "COLUMNS": "80"})


def flags_by_tag(mail):
    import reader
    with reader.imap(mail.HOME, mail.IMAP, readonly=True) as session:
        data = session.fetch("1:*", "(FLAGS BODY.PEEK[])")[1]
    return {tag_of(part[1]): part[0] for part in data if isinstance(part, tuple)}


def test_mutt_flags_copies_and_deletes(mail, ledger, scratch):
    before = [tag_of(raw) for raw in mail.imap_messages()]
    # flag the first; delete the second; copy the third to another folder; write the changes and leave
    mutt(mail, scratch, "1<enter><flag-message>2<enter><delete-message>3<enter><copy-message>=Copies<enter>"
         "<sync-mailbox><exit>")
    found = flags_by_tag(mail)
    assert set(found) == set(before) - {before[1]}
    assert rb"\Flagged" in found[before[0]]
    copied = curl(f"imap://{mail.HOME}:{mail.IMAP}/Copies;MAILINDEX=1")
    assert tag_of(copied) == before[2]


MBSYNCRC = """IMAPStore far
Host {address}
Port {port}
User alice@example.test
Pass holdfast
SSLType None
AuthMechs LOGIN

MaildirStore near
Path {folder}/
Inbox {folder}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
"""


class Mbsync:
    def __init__(self, mail, scratch):
        self.folder = scratch / "maildir"
        self.folder.mkdir()
        self.rc = scratch / "mbsyncrc"
        self.rc.write_text(MBSYNCRC.format(address=mail.HOME, port=mail.IMAP, folder=self.folder))

    def run(self):
        run(["mbsync", "-c", self.rc, "-a"])

    def files(self, mailbox="INBOX"):
        return sorted(path for part in ("cur", "new") for path in (self.folder / mailbox / part).glob("*"))

    def contents(self, mailbox="INBOX"):
        return [path.read_bytes().replace(b"\n", b"\r\n") for path in self.files(mailbox)]

    def add(self, name, content, mailbox="INBOX"):
        for part in ("cur", "new", "tmp"):
            (self.folder / mailbox / part).mkdir(parents=True, exist_ok=True)
        (self.folder / mailbox / "cur" / name).write_bytes(content)


def snapshot(mail, mbsync):
    """All that both sides have: names with flags and unique ids, UIDs with flags."""
    import reader
    with reader.imap(mail.HOME, mail.IMAP, readonly=True) as session:
        far = session.uid("FETCH", "1:*", "(UID FLAGS RFC822.SIZE)")[1]
        boxes = sorted(session.list()[1])
    return far, boxes, [path.name for path in mbsync.files()]


def test_mbsync_both_ways_and_a_second_run_changes_nothing(mail, ledger, scratch):
    mbsync = Mbsync(mail, scratch)
    mbsync.run()
    tags = {tag_of(raw) for raw in mbsync.contents()}
    assert tags == ledger.accepted() and len(mbsync.files()) == 5

    # from here to there: a new message, a new folder, a flag, a deletion
    mbsync.add("1.note.host:2,S", b"Subject: a note\nX-Tag: note\n\nfrom here\n")
    mbsync.add("2.other.host:2,", b"Subject: other\nX-Tag: other\n\nin a new folder\n", mailbox="Local")
    first, second = [path for path in mbsync.files() if b"X-Tag: note" not in path.read_bytes()][:2]
    deleted, flagged = tag_of(crlf(first)), tag_of(crlf(second))
    first.unlink()
    base = second.name.partition(":2,")[0]
    second.rename(mbsync.folder / "INBOX" / "cur" / f"{base}:2,FS")
    mbsync.run()
    found = flags_by_tag(mail)
    assert set(found) == (ledger.accepted() - {deleted}) | {"note"}
    assert rb"\Flagged" in found[flagged] and rb"\Seen" in found[flagged]
    assert tag_of(curl(f"imap://{mail.HOME}:{mail.IMAP}/Local;MAILINDEX=1")) == "other"

    # from there to here
    mail.mta(ledger).send(2, sessions=1)
    mbsync.run()
    assert {tag_of(raw) for raw in mbsync.contents()} == (ledger.accepted() - {deleted}) | {"note"}

    before = snapshot(mail, mbsync)
    mbsync.run()
    assert snapshot(mail, mbsync) == before, "a second run changes nothing"


def crlf(path):
    return path.read_bytes().replace(b"\n", b"\r\n")
