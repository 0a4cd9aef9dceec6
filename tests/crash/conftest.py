"""A relay alone, under strace; the fixtures of the system tests."""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import importlib.util  # noqa: E402

import program  # noqa: E402
import pytest  # noqa: E402
import wait  # noqa: E402
from network import BackupMx, relay_greets  # noqa: E402

# The system tests' own conftest, by another name than this file's.
spec = importlib.util.spec_from_file_location("system_conftest", sys.path[0] + "/conftest.py")
system = importlib.util.module_from_spec(spec)
spec.loader.exec_module(system)

machine, scratch, make_network, make_sink, ledger = (
    system.machine, system.scratch, system.make_network, system.make_sink, system.ledger)
pytest_runtest_makereport = system.pytest_runtest_makereport

CALL = re.compile(r"\d+ +\w+\(")  # in strace's output; "<... resumed>" is the rest of one


class Rig:
    """One relay's queue through its deaths."""

    def __init__(self, network):
        self.network = network
        self.trace = network.state_dir.parent / "strace"

    def start(self, inject=None, ready=True, binary=program.BINARY, calls="fdatasync,fsync", also=()):
        """inject: strace's, for these calls; also: further words for it. Returns the process (strace's, when there is one)."""
        wrapper = ["strace", "-f", "-qq", "-o", str(self.trace), "-e", f"trace={calls}", "-e",
                   f"inject={calls}:{inject}", *also] if inject else []
        process = self.network.spawn("relay", "--node", "relay1", wrapper=wrapper, binary=binary)
        if ready:
            wait.until(lambda: relay_greets(*BackupMx.RELAY), "a relay that greets", abandon=process.poll)
        return process

    def send(self, ledger, count=1):
        return self.network.mta(ledger).send_by(BackupMx.RELAY[0], count)

    def send_one(self, ledger):
        return self.network.mta(ledger).attempt_by(BackupMx.RELAY[0])

    def syncs_of_a_start(self, ledger):
        return self.calls_of_a_start(ledger, "fdatasync,fsync")

    def calls_of_a_start(self, ledger, calls):
        """The most of these that any thread makes until the first message is taken: of an undisturbed run."""
        self.start("error=EIO:when=65535", calls=calls)
        assert self.send(ledger) != []
        self.network.kill_everything()
        threads = [line.split()[0] for line in self.trace.read_text().splitlines() if CALL.match(line)]
        return max(threads.count(thread) for thread in set(threads))

    def injected(self):
        return self.trace.read_text().count("(INJECTED)")

    def drain_after_restart(self):
        """All that is in the queue goes to the server, whatever was promised."""
        self.start()
        self.network.until(lambda: self.queued() == 0, "an empty queue")

    def judge_after_restart(self, ledger, make_sink):
        """Everything it ever accepted goes to the server, once."""
        sink = make_sink()
        self.start()
        self.network.until(lambda: ledger.has_all(sink.contents()) and self.queued() == 0, "all that was accepted")
        ledger.judge(sink.contents())

    def queued(self):
        return self.network.queued()


@pytest.fixture
def rig(make_network):
    return Rig(make_network(BackupMx, "backup-mx.conf"))
