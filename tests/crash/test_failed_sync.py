"""A failed sync: 451, never 250; and nothing more is taken until the file was opened again and recovered."""

import ledger as ledgers
import pytest
import wait


def test_451_while_syncs_fail(rig, ledger, make_sink):
    first_failing = rig.syncs_of_a_start(ledger) + 1
    process = rig.start(f"error=EIO:when={first_failing}+")
    refused = wait.until(lambda: next((a for a in [rig.send_one(ledger)] if a.outcome == ledgers.REFUSED and a.reply),
                                      None), "a refusal")
    assert refused.reply[:3] in ("451", "421"), refused.reply
    accepted = ledger.count_accepted()
    for _ in range(20):
        assert rig.send_one(ledger).outcome != ledgers.ACCEPTED
    assert rig.injected() > 0, "no sync was made to fail"
    assert ledger.count_accepted() == accepted
    process.kill()
    rig.network.kill_everything()
    rig.judge_after_restart(ledger, make_sink)


@pytest.mark.parametrize("calls, error", [("fdatasync,fsync", "EIO"), ("pwritev", "EIO"), ("pwritev", "ENOSPC")])
def test_one_failure_and_service_again(rig, ledger, make_sink, calls, error):
    failing = rig.calls_of_a_start(ledger, calls) + 1
    rig.start(f"error={error}:when={failing}", calls=calls)
    outcomes = []

    def fails_once():
        outcomes.append(rig.send_one(ledger))
        return rig.injected() > 0

    wait.until(fails_once, "the failing call")
    wait.until(lambda: rig.send_one(ledger).outcome == ledgers.ACCEPTED, "service again")
    refused = [attempt for attempt in ledger.attempts.values() if attempt.outcome == ledgers.REFUSED]
    assert refused and all(attempt.reply[:3] in ("451", "421") for attempt in refused)
    rig.network.kill_everything()
    rig.judge_after_restart(ledger, make_sink)
