"""Debian's Postfix as the receiving server, by SMTP, with mailboxes: nothing is lost while it is away, and nothing changed."""

import pytest
from network import BackupMx
from root.postfix_peer import Postfix

LARGE = 3 << 20
MAILBOXES = """mydestination =
virtual_mailbox_domains = example.test
virtual_mailbox_maps = inline:{{ {{alice@example.test=alice/}} }}
virtual_mailbox_base = {mail}
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
"""


@pytest.fixture
def postfix(scratch):
    scratch.chmod(0o755)  # its processes have users of their own
    (scratch / "mail").mkdir()
    (scratch / "mail").chmod(0o777)
    peer = Postfix(scratch / "postfix", *BackupMx.SERVER, users=["alice"],
                   settings=MAILBOXES.format(mail=scratch / "mail")).start()
    yield peer
    peer.stop()


def contents(scratch):
    return [path.read_bytes().replace(b"\n", b"\r\n") for path in (scratch / "mail" / "alice" / "new").glob("*")]


def test_what_is_accepted_is_there_also_after_its_death(make_network, postfix, scratch, ledger):
    relay = make_network(BackupMx, "backup-mx.conf").start()
    relay.until(lambda: relay.server()["state"] == "operational", "a server that works")
    mta = relay.mta(ledger)
    mta.send(10)
    mta.send(1, size_bytes=LARGE)
    relay.until(lambda: relay.queued() == 0, "an empty queue")
    postfix.stop()
    relay.until(lambda: relay.server()["state"] == "inoperable", "a server that is down")
    mta.send(10)
    postfix.start()
    relay.until(lambda: relay.queued() == 0 and ledger.has_all(contents(scratch)), "all that was accepted")
    ledger.judge(contents(scratch))
