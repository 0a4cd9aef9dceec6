"""A failed sync under a messaging server's own intake: 451, never 250; what it accepted stays, and it serves again."""

import subprocess

import ledger as ledgers
import wait
from network import TwoSite


class FailingSyncs:
    """strace, on a process that runs: each sync of one file fails."""

    def __init__(self, pid, path, trace):
        self.trace = trace
        self.process = subprocess.Popen(["strace", "-f", "-qq", "-p", str(pid), "-o", str(trace), "-P", str(path),
                                         "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO"])

    def fired(self):
        return self.trace.exists() and "(INJECTED)" in self.trace.read_text()

    def end(self):
        self.process.terminate()
        self.process.wait()


def send_one(network, ledger):
    return network.mta(ledger).attempt_by(network.HOME)


def test_451_and_service_again(make_network, ledger):
    network = make_network(TwoSite, "two-site.conf").start()
    network.await_operational_at(network.HOME)
    assert send_one(network, ledger).outcome == ledgers.ACCEPTED
    log = network.state_dir / "store" / "mail.db-wal"
    failing = FailingSyncs(network.server_pid(), log, network.state_dir.parent / "strace")
    try:
        refused = wait.until(lambda: next((a for a in [send_one(network, ledger)] if failing.fired()), None),
                             "a sync that is made to fail")
        assert refused.outcome == ledgers.REFUSED and refused.reply[:3] == "451", refused.reply
        for _ in range(20):
            assert send_one(network, ledger).outcome != ledgers.ACCEPTED
    finally:
        failing.end()
    wait.until(lambda: send_one(network, ledger).outcome == ledgers.ACCEPTED, "service again")
    network.judge(ledger)
