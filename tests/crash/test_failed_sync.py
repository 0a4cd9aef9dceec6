"""A failed sync: 451, never 250; and nothing more is taken until the file was opened again and recovered."""

import ledger as ledgers
import pytest
import wait


def judge_refusal(attempt, committer):
    """The one whose sync failed is told so; who comes after it may be sent away by 421."""
    assert committer.injected() > 0, "no call was made to fail"
    assert attempt.outcome == ledgers.REFUSED and attempt.sent_whole and attempt.reply.startswith("451 "), attempt


def test_451_while_syncs_fail(rig, ledger, make_sink):
    rig.start()
    assert rig.send(ledger)
    committer = rig.attach("error=EIO")
    judge_refusal(rig.send_one(ledger), committer)
    for _ in range(20):
        assert rig.send_one(ledger).outcome != ledgers.ACCEPTED
    rig.network.kill_everything()
    rig.judge_after_restart(ledger, make_sink)


@pytest.mark.parametrize("calls, error", [("fdatasync,fsync", "EIO"), ("pwritev", "EIO"), ("pwritev", "ENOSPC")])
def test_one_failure_and_service_again(rig, ledger, make_sink, calls, error):
    rig.start()
    assert rig.send(ledger)
    committer = rig.attach(f"error={error}:when=1", calls=calls)
    judge_refusal(rig.send_one(ledger), committer)
    wait.until(lambda: rig.send_one(ledger).outcome == ledgers.ACCEPTED, "service again")
    rig.network.kill_everything()
    rig.judge_after_restart(ledger, make_sink)
