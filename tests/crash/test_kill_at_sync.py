"""SIGKILL at the Nth sync of the relay's threads, while it takes mail and while it recovers; every 250 is there after."""

import signal

import program
import pytest
import tracer
import wait
from load import Load
from network import BackupMx
from tracer import COMMITTER_OF_QUEUE, MAIN_THREAD, SYNCS

WRITES = "pwritev"  # of the journal, before which nothing of a batch is anywhere
NEVER = 65535  # the highest number that strace takes

# The program, but that its 250 goes out before its commit: tests/crash/answer_first.c.
ANSWERS_FIRST = str(program.ROOT / "build" / "meson" / "tests" / "crash" / "holdfast_answers_first")
RUNS_OF_MUTANT = 5
# Long enough for what is answered meanwhile to reach its sender.
SLOW_WRITES = ["-e", "trace=fdatasync,fsync,pwritev", "-e", "inject=pwritev:delay_enter=20000"]


def load_until_it_ends(rig, ledger):
    load = Load(rig.network.mta(ledger), threads=3, addresses=[BackupMx.RELAY[0]])
    try:
        wait.until(lambda: rig.process.poll() is not None, "the kill")
    finally:
        load.end()


def kill_from_the_start(rig, ledger, when, thread, **options):
    rig.start_under_strace(f"signal=KILL:when={when}", **options)
    load_until_it_ends(rig, ledger)
    tracer.judge_kill_from_start(rig.trace, options.get("calls", SYNCS), when, thread)


def kill_while_it_takes_mail(rig, ledger, when, calls=SYNCS, binary=program.BINARY, also=()):
    rig.start(binary)
    assert rig.send(ledger), "it took nothing before the kill"
    committer = rig.attach(f"signal=KILL:when={when}", calls=calls, also=also)
    load_until_it_ends(rig, ledger)
    committer.judge_kill(when)


@pytest.mark.parametrize("when", [1, 2, 3, 5, 8, 10])
def test_kill_while_a_store_is_made(rig, ledger, make_sink, when):
    """Before it can take anything: what was made halfway must not keep it from opening."""
    kill_from_the_start(rig, ledger, when, MAIN_THREAD)
    rig.judge_after_restart(ledger, make_sink)


@pytest.mark.parametrize("when", [1, 2, 3, 5, 8, 13])
def test_kill_while_a_queue_is_made(rig, ledger, make_sink, when):
    kill_from_the_start(rig, ledger, when, COMMITTER_OF_QUEUE, of_queue=True)
    rig.judge_after_restart(ledger, make_sink)


@pytest.mark.parametrize("when", [1, 2, 3, 5, 8, 13, 21, 110])
def test_kill_while_taking_mail(rig, ledger, make_sink, when):
    kill_while_it_takes_mail(rig, ledger, when)
    rig.judge_after_restart(ledger, make_sink)


@pytest.mark.parametrize("when", [1, 8, 17])
def test_kill_while_a_segment_is_made(rig, ledger, make_sink, when):
    kill_from_the_start(rig, ledger, when, COMMITTER_OF_QUEUE, calls=WRITES)
    rig.judge_after_restart(ledger, make_sink)


@pytest.mark.parametrize("when", [1, 2, 13, 72])
def test_kill_before_a_write_of_the_journal(rig, ledger, make_sink, when):
    kill_while_it_takes_mail(rig, ledger, when, calls=WRITES)
    rig.judge_after_restart(ledger, make_sink)


def test_kill_again_while_recovering(rig, ledger, make_sink):
    """The kills at the first syncs are before it takes mail again."""
    kill_while_it_takes_mail(rig, ledger, 6)
    for when in (1, 2, 3):
        kill_from_the_start(rig, ledger, when, COMMITTER_OF_QUEUE, of_queue=True)
    kill_while_it_takes_mail(rig, ledger, 6)
    for when in (1, 4):
        kill_from_the_start(rig, ledger, when, COMMITTER_OF_QUEUE, of_queue=True)
    rig.judge_after_restart(ledger, make_sink)


# ---- the rig can fail ----


def test_a_250_before_its_commit_is_found(rig, ledger, make_sink):
    """Not at each kill: the commit may have been just in time."""
    for when in range(1, RUNS_OF_MUTANT + 1):
        kill_while_it_takes_mail(rig, ledger, when, binary=ANSWERS_FIRST, also=SLOW_WRITES)
    sink = make_sink()
    rig.drain_after_restart()
    with pytest.raises(AssertionError, match=" lost: "):
        ledger.judge(sink.contents())


def test_no_injection_is_a_failure(rig, ledger):
    """A relay that ends by itself before the kill's turn."""
    rig.start()
    committer = rig.attach(f"signal=KILL:when={NEVER}")
    assert rig.send(ledger)
    program.send_signal(rig.process.pid, signal.SIGTERM)
    with pytest.raises(AssertionError, match="no kill was injected"):
        committer.judge_kill(NEVER)
    rig.start_under_strace(f"signal=KILL:when={NEVER}")
    wait.until(lambda: rig.send(ledger), "a message that is taken")
    for pid in program.pids_with(rig.network.state_dir):
        program.send_signal(pid, signal.SIGTERM)
    rig.process.wait(wait.LIMIT_S)
    with pytest.raises(AssertionError, match="no kill was injected"):
        tracer.judge_kill_from_start(rig.trace, SYNCS, NEVER, COMMITTER_OF_QUEUE)
