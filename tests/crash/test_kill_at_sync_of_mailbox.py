"""SIGKILL at the Nth sync of a messaging server's committer, while it takes mail by SMTP, by LMTP and from a relay, and
while an instance begins: another one is created, and every 250 is there to read, once."""

import contextlib
import smtplib

import pytest
import tracer
import wait
from load import Load
from network import TwoSite
from provisioner import Provisioner
from sender import Mta
from test_kill_at_sync import ANSWERS_FIRST, NEVER, RUNS_OF_MUTANT
from tracer import SYNCS

THREADS = 2  # of each kind of sender
WAITING = 60  # messages at a relay: several commits' worth
# SQLite's, before each commit: long enough for what is answered meanwhile to reach its sender.
SLOW_WRITES = ["-e", "trace=fdatasync,fsync,pwrite64", "-e", "inject=pwrite64:delay_enter=2000"]


def make_mailbox_network(make_network, changes=(), **options):
    network = make_network(TwoSite, "two-site.conf", changes).start(**options)
    network.await_operational_at(network.HOME)
    return network


def senders(network, ledger):
    """Each with where it goes."""
    return [(network.mta(ledger), network.HOME), (Mta(None, ledger, network.LMTP, smtplib.LMTP), network.HOME),
            (network.mta(ledger), network.RELAY_EAST)]


@contextlib.contextmanager
def load(network, ledger, size_bytes):
    loads = [Load(mta, THREADS, [address], size_bytes) for mta, address in senders(network, ledger)]
    try:
        yield
    finally:
        for one in loads:
            one.end()


def attach(network, make_tracer, inject, **options):
    return make_tracer(network.server_pid(), inject, thread=tracer.COMMITTER_OF_MAIL, **options)


def kill_while_it_takes_mail(network, ledger, make_tracer, when, size_bytes=600, **options):
    for mta, address in senders(network, ledger):
        assert mta.send_by(address, 1), f"{address}:{mta.port} took nothing before the kill"
    committer = attach(network, make_tracer, f"signal=KILL:when={when}", **options)
    with load(network, ledger, size_bytes):
        wait.until(committer.has_ended, f"the kill at sync {when}")
    committer.judge_kill(when)


@pytest.mark.parametrize("when", [1, 2, 3, 8, 21])
def test_kill_while_it_takes_mail(make_network, make_tracer, ledger, when):
    network = make_mailbox_network(make_network)
    kill_while_it_takes_mail(network, ledger, make_tracer, when)
    network.await_operational_at(network.HOME)
    network.judge(ledger)


@pytest.mark.parametrize("when", [2, 13])
def test_kill_between_commit_and_answer(make_network, make_tracer, ledger, when):
    """The committer's one kind of plain write wakes the loop, which answers: relays send again what they got no answer to,
    and it is shown once."""
    network = make_mailbox_network(make_network)
    kill_while_it_takes_mail(network, ledger, make_tracer, when, calls="write")
    network.await_operational_at(network.HOME)
    network.judge(ledger)


def test_kill_in_a_checkpoint(make_network, make_tracer, ledger):
    """Only then the database's file itself is synced."""
    network = make_mailbox_network(make_network)
    database = network.state_dir.resolve() / "store" / "mail.db"
    kill_while_it_takes_mail(network, ledger, make_tracer, 1, size_bytes=200_000, also=["-P", str(database)])
    network.await_operational_at(network.HOME)
    network.judge(ledger)


# A provisioner that starts the instance under strace, which outlives it. The files of mail have one writing thread.
KILLS_AS_PLANNED = f"""
when = take_plan()
trace = HERE / "strace"
files = [word for ending in ("", "-wal") for word in ("-P", REQUEST["state_dir"] + "/store/mail.db" + ending)]
inject = f"inject={SYNCS}:signal=KILL:when={{when}}"
tracer = ["strace", "-D", "-f", "-Y", "-qq", "-o", str(trace), *files, "-e", "trace={SYNCS}", "-e", inject]
answer(*ask_ready(*(tracer if when else [])))
"""


@pytest.mark.parametrize("when", [1, 2, 4])
def test_kill_while_an_instance_begins(make_network, scratch, ledger, when):
    """It takes its epoch, then what has waited for it at the relays. After it another one is created, in either site."""
    provisioner = Provisioner(scratch / "provisioner", KILLS_AS_PLANNED)
    network = make_mailbox_network(make_network, [provisioner.at_home(patience="20s")])
    provisioner.plan(str(when))
    network.kill_server()
    network.mta(ledger).send_by(network.RELAY_EAST, WAITING)
    network.until(provisioner.was_carried_out, "an instance that begins under strace")
    trace = provisioner.folder / "strace"
    network.until(lambda: tracer.KILLED in trace.read_text(), f"the kill at sync {when}")
    tracer.judge_kill_from_start(trace, SYNCS, when, tracer.COMMITTER_OF_MAIL)
    network.judge(ledger)


# ---- the rig can fail ----


def test_a_250_before_its_commit_is_found(make_network, make_tracer, ledger):
    """Not at each kill: the commit may have been just in time."""
    network = make_mailbox_network(make_network, binary=ANSWERS_FIRST)
    for when in range(1, RUNS_OF_MUTANT + 1):
        kill_while_it_takes_mail(network, ledger, make_tracer, when, also=SLOW_WRITES)
        network.await_operational_at(network.HOME)
        network.until(lambda: network.queued() == 0, "empty queues")
        if not ledger.has_all(network.imap_messages()):
            break
    with pytest.raises(AssertionError, match=" lost: "):
        ledger.judge(network.imap_messages())


def test_no_injection_is_a_failure(make_network, make_tracer, ledger):
    """An instance that ends before the kill's turn."""
    network = make_mailbox_network(make_network)
    committer = attach(network, make_tracer, f"signal=KILL:when={NEVER}")
    assert network.mta(ledger).send_by(network.HOME, 1)
    network.kill_server()
    with pytest.raises(AssertionError, match="no kill was injected"):
        committer.judge_kill(NEVER)
