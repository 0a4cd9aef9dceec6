"""When the old server returns: it is not let in with a stale epoch; on failback what the other server took meanwhile is
not lost, not doubled, and flags and deletions hold."""

import signal
import subprocess

import names
import program
import reader
import wait
from ledger import tag_of
from load import Load


def test_a_stopped_one_that_goes_on_is_not_let_in(two_site, ledger):
    """Its whole node stood still, as a paused machine does, and knows nothing of what happened."""
    two_site.mta(ledger).send(5)
    stale = two_site.server_pid()
    epoch = two_site.server()["epoch"]
    two_site.pause_node("east1")
    two_site.await_operational_at(two_site.REMOTE)
    assert two_site.server()["epoch"] > epoch
    two_site.mta(ledger).send(5)
    two_site.signal_node("east1", signal.SIGCONT)
    accepted = two_site.mta(ledger).send_by(two_site.HOME, 1)
    assert accepted == [], "the stale instance answered 250"
    wait.until(lambda: not program.is_alive(stale), "the end of the stale instance, by itself")
    two_site.await_node("east1")
    for ns in two_site.DNS:
        two_site.until(lambda ns=ns: names.Resolver([ns]).a(two_site.HOST) == [two_site.REMOTE],
                       "every name server at the other one")
    assert two_site.server()["node"] == "west1"
    two_site.judge(ledger)


def test_one_started_by_hand_with_its_old_epoch_is_refused(two_site):
    epoch = two_site.server()["epoch"]
    two_site.kill_node("east1")
    two_site.await_operational_at(two_site.REMOTE)
    two_site.start_node("east1")
    stale = two_site.spawn("mailbox", "--node", "east1", "--server", "mail1", "--epoch", str(epoch), "--address",
                           two_site.HOME)
    assert stale.wait(30) == program.FAILED
    assert "later epoch" in two_site.log_path.read_text(), "it ended, but not because it was refused"
    assert two_site.server()["address"] == two_site.REMOTE


def flag_and_delete(address, port, flagged, deleted):
    """By tag."""
    with reader.imap(address, port) as session:
        for number, raw in numbered(session):
            if tag_of(raw) == flagged:
                assert session.store(number, "+FLAGS", r"(\Flagged \Seen)")[0] == "OK"
            if tag_of(raw) == deleted:
                assert session.store(number, "+FLAGS", r"(\Deleted)")[0] == "OK"
        assert session.expunge()[0] == "OK"


def numbered(session):
    status, data = session.fetch("1:*", "(BODY.PEEK[])")
    assert status == "OK"
    return [(part[0].split()[0].decode(), part[1]) for part in data if isinstance(part, tuple)]


def flags(address, port, tag):
    with reader.imap(address, port, readonly=True) as session:
        number = next(number for number, raw in numbered(session) if tag_of(raw) == tag)
        data = session.fetch(number, "(FLAGS)")[1]
    return b" ".join(line if isinstance(line, bytes) else line[0] for line in data)


def test_failback_loses_doubles_and_forgets_nothing(two_site, ledger):
    mta = two_site.mta(ledger)
    first = mta.send(10)
    two_site.await_delivered(ledger)
    two_site.kill_node("east1")
    two_site.await_operational_at(two_site.REMOTE)
    meanwhile = mta.send(10)
    two_site.await_delivered(ledger)
    flag_and_delete(two_site.REMOTE, two_site.IMAP, flagged=first[0], deleted=first[1])
    flag_and_delete(two_site.REMOTE, two_site.IMAP, flagged=meanwhile[0], deleted=meanwhile[1])
    gone = [ledger.attempts.pop(first[1]), ledger.attempts.pop(meanwhile[1])]

    two_site.start_node("east1")
    two_site.fail_back()
    assert two_site.server()["site"] == "east"
    mta.send(5)
    two_site.judge(ledger)
    assert not {attempt.tag for attempt in gone} & {tag_of(raw) for raw in two_site.imap_messages()}
    for tag in (first[0], meanwhile[0]):
        assert rb"\Flagged" in flags(two_site.HOME, two_site.IMAP, tag)
        assert rb"\Seen" in flags(two_site.HOME, two_site.IMAP, tag)


def test_failback_under_load(two_site, ledger):
    mta = two_site.mta(ledger)
    two_site.kill_node("east1")
    two_site.await_operational_at(two_site.REMOTE)
    two_site.start_node("east1")
    load = Load(mta)
    two_site.fail_back()
    load.end()
    two_site.judge(ledger)


def test_failback_waits_for_the_old_site(two_site):
    two_site.kill_node("east1")
    two_site.await_operational_at(two_site.REMOTE)
    done = two_site.command("server", "failback", "mail1", "--timeout", "1s")
    assert done.returncode == program.TRY_AGAIN
    assert "no live node" in done.stderr and "Give the order again" in done.stderr
    assert two_site.server()["address"] == two_site.REMOTE
    failback = subprocess.Popen([program.BINARY, "server", "failback", "mail1", "-c", str(two_site.config), "--state-dir",
                                 str(two_site.state_dir)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "not yet" in failback.stderr.readline()
    two_site.spawn("run", "--node", "east1")
    told, _ = failback.communicate(timeout=150)
    assert failback.returncode == program.DONE and "runs in east" in told
    two_site.await_operational_at(two_site.HOME)
