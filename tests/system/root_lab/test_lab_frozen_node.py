"""A node that stands still past its leases and goes on: what it was is taken over meanwhile, its stale instance is
refused and ends, and no message is lost or doubled."""

import signal

import ledger as ledgers
import program
import pytest
from lab.disasters import PAUSE_BESIDE_OTHERS_S, Disasters, Loads, Plan
from lab.watch import Watch


@pytest.mark.timeout(600)
def test_frozen_amid_a_delivery_and_thawed(lab, lab_ledger):
    """At the step whose outcome nobody knows; at all of them: `./dev chaos --only freeze-delivery --count 10`."""
    network = lab.holdfast
    old = network.server()
    with Watch(lab):
        with Loads(network, lab_ledger, 600, PAUSE_BESIDE_OTHERS_S):
            accepted = lab_ledger.count_accepted()
            network.until(lambda: lab_ledger.count_accepted() > accepted + 40, "a load")
            lab.freeze_delivery_at("committing")
            network.await_operational_at(network.REMOTE)
            lab.thaw()
            network.until(lambda: not program.is_alive(old["pid"]), "the end of the stale instance")
            network.await_ready()
        network.judge(lab_ledger)
    assert network.server()["epoch"] > old["epoch"]


@pytest.mark.timeout(600)
def test_a_stale_server_takes_nothing_when_it_wakes(lab, lab_ledger):
    network, mta = lab.holdfast, lab.holdfast.mta(lab_ledger)
    pid = network.server_pid()
    lab.freeze("east")
    network.await_operational_at(network.REMOTE)
    program.send_signal(pid, signal.SIGCONT)  # it alone: nobody has told it anything
    attempt = mta.attempt_by(network.HOME)
    assert attempt.outcome != ledgers.ACCEPTED, attempt.reply
    network.until(lambda: not program.is_alive(pid), "its end")
    lab.thaw()
    network.judge(lab_ledger)


@pytest.mark.timeout(600)
def test_frozen_amid_a_failover(lab, lab_ledger):
    """At its first two steps; at all of them: `./dev chaos --only freeze-at`."""
    Disasters(lab, Plan(1, "freeze-at"), lab_ledger, print, pause_s=PAUSE_BESIDE_OTHERS_S).run(lambda count: count < 2)
