"""SIGKILL at the Nth sync of the relay's threads, while it takes mail and while it recovers; every 250 is there after."""

import signal

import pytest
import wait
from load import Load
from network import BackupMx


OPENED = 34  # syncs; a new store is open long before


def ended_by_kill(process):
    """strace ends as what it traced; nobody else sends this signal."""
    return process.poll() in (-signal.SIGKILL, 128 + signal.SIGKILL)


def run_until_killed(rig, ledger, when):
    process = rig.start(f"signal=KILL:when={when}", ready=False)
    load = Load(rig.network.mta(ledger), threads=3, addresses=[BackupMx.RELAY[0]])
    try:
        wait.until(lambda: process.poll() is not None, f"the kill at sync {when}")
    finally:
        load.end()
    assert ended_by_kill(process), f"no kill was injected: it ended with {process.poll()}"


@pytest.mark.parametrize("when", [1, 2, 3, 5, 8, 13, 21, 34, 55, 144])
def test_kill_while_taking_mail(rig, ledger, make_sink, when):
    run_until_killed(rig, ledger, when)
    assert when < OPENED or ledger.count_accepted() > 0, "it was killed before it took anything"
    rig.judge_after_restart(ledger, make_sink)


def test_kill_again_while_recovering(rig, ledger, make_sink):
    for when in (40, 1, 2, 3, 40, 1, 4):
        run_until_killed(rig, ledger, when)
    assert ledger.count_accepted() > 0
    rig.judge_after_restart(ledger, make_sink)
