"""A relay alone, under strace; the fixtures of the system tests."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import importlib.util  # noqa: E402

import program  # noqa: E402
import pytest  # noqa: E402
import tracer  # noqa: E402
import wait  # noqa: E402
from network import BackupMx, relay_greets  # noqa: E402

# The system tests' own conftest, by another name than this file's.
spec = importlib.util.spec_from_file_location("system_conftest", sys.path[0] + "/conftest.py")
system = importlib.util.module_from_spec(spec)
spec.loader.exec_module(system)

machine, scratch, make_network, make_sink, make_tracer, ledger = (
    system.machine, system.scratch, system.make_network, system.make_sink, system.make_tracer, system.ledger)
pytest_runtest_makereport = system.pytest_runtest_makereport

SEGMENTS_MAX = 8  # of a queue's journal, that a test comes to


class Rig:
    """One relay's queue through its deaths."""

    def __init__(self, network, make_tracer):
        self.network = network
        self.make_tracer = make_tracer
        self.trace = network.state_dir.parent / "strace-of-start"
        self.process = None

    def start(self, binary=program.BINARY):
        self.process = self.network.spawn("relay", "--node", "relay1", binary=binary)
        wait.until(lambda: relay_greets(*BackupMx.RELAY), "a relay that greets", abandon=self.process.poll)

    def start_under_strace(self, inject, calls=tracer.SYNCS, of_queue=False):
        """Of all its calls, or of those on the queue's files. Does not wait until it greets."""
        files = [word for path in self.files_of_queue() for word in ("-P", str(path))] if of_queue else []
        self.process = self.network.spawn("relay", "--node", "relay1",
                                          wrapper=tracer.strace(self.trace, inject, calls, "-f", "-Y", *files))

    def files_of_queue(self):
        """strace's list is of those that may come, too."""
        database = self.network.state_dir.resolve() / "store" / "queue-relay1.db"
        endings = ["", "-journal", "-wal", *(f"-segment-{number}" for number in range(1, SEGMENTS_MAX + 1))]
        return [f"{database}{ending}" for ending in endings]

    def attach(self, inject, **options):
        """To the queue's committer, of the relay that runs."""
        return self.make_tracer(self.process.pid, inject, thread=tracer.COMMITTER_OF_QUEUE, **options)

    def send(self, ledger, count=1):
        return self.network.mta(ledger).send_by(BackupMx.RELAY[0], count)

    def send_one(self, ledger):
        return self.network.mta(ledger).attempt_by(BackupMx.RELAY[0])

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
def rig(make_network, make_tracer):
    return Rig(make_network(BackupMx, "backup-mx.conf"), make_tracer)
