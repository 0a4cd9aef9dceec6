"""SIGKILL at the Nth sync of the relay's threads, while it takes mail and while it recovers; every 250 is there after."""

import signal

import program
import pytest
import wait
from load import Load
from network import BackupMx

SYNCS = "fdatasync,fsync"
WRITES = "pwritev"  # of the journal, before which nothing of a batch is anywhere
NEVER = 65535  # the highest number that strace takes

# The program, but that its 250 goes out before its commit: tests/crash/answer_first.c.
ANSWERS_FIRST = str(program.ROOT / "build" / "meson" / "tests" / "crash" / "holdfast_answers_first")
RUNS_OF_MUTANT = 10
OPENINGS = 5
# Long enough for what is answered meanwhile to reach its sender.
SLOW_WRITES = ["-e", "trace=fdatasync,fsync,pwritev", "-e", "inject=pwritev:delay_enter=5000"]


def ended_by_kill(process):
    """strace ends as what it traced; nobody else sends this signal."""
    return process.poll() in (-signal.SIGKILL, 128 + signal.SIGKILL)


def run_until_killed(rig, ledger, when, **options):
    process = rig.start(f"signal=KILL:when={when}", ready=False, **options)
    load = Load(rig.network.mta(ledger), threads=3, addresses=[BackupMx.RELAY[0]])
    try:
        wait.until(lambda: process.poll() is not None, f"the kill at sync {when}")
    finally:
        load.end()
    assert ended_by_kill(process), f"no kill was injected: it ended with {process.poll()}"


def kill_while_it_takes_mail(rig, ledger, beyond, calls=SYNCS):
    """`beyond` calls after those of the opening, which are not the same in each run: one that was killed before it
    took anything proves nothing, and is tried again with a later kill."""
    opened = rig.calls_of_a_start(ledger, calls)
    before = ledger.count_accepted()
    for late in range(OPENINGS):
        run_until_killed(rig, ledger, opened + beyond + late * beyond, calls=calls)
        if ledger.count_accepted() > before:
            return
    raise AssertionError(f"{OPENINGS} times it was killed before it took anything")


@pytest.mark.parametrize("when", [1, 2, 3, 5, 8, 13, 21])
def test_kill_while_a_store_is_made(rig, ledger, make_sink, when):
    """Before it can take anything: what was made halfway must not keep it from opening."""
    run_until_killed(rig, ledger, when)
    rig.judge_after_restart(ledger, make_sink)


@pytest.mark.parametrize("beyond", [1, 2, 3, 5, 8, 13, 21, 110])
def test_kill_while_taking_mail(rig, ledger, make_sink, beyond):
    kill_while_it_takes_mail(rig, ledger, beyond)
    rig.judge_after_restart(ledger, make_sink)


@pytest.mark.parametrize("when", [1, 8, 17])
def test_kill_while_a_segment_is_made(rig, ledger, make_sink, when):
    run_until_killed(rig, ledger, when, calls=WRITES)
    rig.judge_after_restart(ledger, make_sink)


@pytest.mark.parametrize("beyond", [1, 2, 13, 72])
def test_kill_before_a_write_of_the_journal(rig, ledger, make_sink, beyond):
    kill_while_it_takes_mail(rig, ledger, beyond, calls=WRITES)
    rig.judge_after_restart(ledger, make_sink)


def test_kill_again_while_recovering(rig, ledger, make_sink):
    """The kills at the first syncs are before it takes mail again."""
    kill_while_it_takes_mail(rig, ledger, 6)
    for when in (1, 2, 3):
        run_until_killed(rig, ledger, when)
    kill_while_it_takes_mail(rig, ledger, 6)
    for when in (1, 4):
        run_until_killed(rig, ledger, when)
    rig.judge_after_restart(ledger, make_sink)


# ---- the rig can fail ----


def test_a_250_before_its_commit_is_found(rig, ledger, make_sink):
    """Not at each kill: the commit may have been just in time."""
    opened, before = rig.syncs_of_a_start(ledger), ledger.count_accepted()
    for run in range(RUNS_OF_MUTANT):
        run_until_killed(rig, ledger, opened + 7 * run, binary=ANSWERS_FIRST, also=SLOW_WRITES)
    assert ledger.count_accepted() > before
    sink = make_sink()
    rig.drain_after_restart()
    with pytest.raises(AssertionError, match=" lost: "):
        ledger.judge(sink.contents())


def test_no_injection_is_a_failure(rig, ledger):
    """A relay that ends by itself before the kill's turn."""

    class EndsBefore:
        network = rig.network

        def start(self, inject, **options):
            process = rig.start(inject, **options)
            wait.until(lambda: rig.send(ledger), "a message that is taken")
            for pid in program.pids_with(rig.network.state_dir):
                program.send_signal(pid, signal.SIGTERM)
            return process

    with pytest.raises(AssertionError, match="no kill was injected"):
        run_until_killed(EndsBefore(), ledger, NEVER)
