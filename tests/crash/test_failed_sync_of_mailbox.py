"""A failed sync under a messaging server's own intake: 451, never 250; what it accepted stays, and it serves again."""

import ledger as ledgers
import wait
from network import TwoSite
from test_failed_sync import judge_refusal
from tracer import COMMITTER_OF_MAIL


def test_451_and_service_again(make_network, make_tracer, ledger):
    network = make_network(TwoSite, "two-site.conf").start()
    network.await_operational_at(network.HOME)
    mta = network.mta(ledger)
    assert mta.send_by(network.HOME, 1)
    committer = make_tracer(network.server_pid(), "error=EIO", thread=COMMITTER_OF_MAIL)
    judge_refusal(mta.attempt_by(network.HOME), committer)
    for _ in range(20):
        assert mta.attempt_by(network.HOME).outcome != ledgers.ACCEPTED
    committer.end()
    wait.until(lambda: mta.attempt_by(network.HOME).outcome == ledgers.ACCEPTED, "service again")
    network.judge(ledger)
