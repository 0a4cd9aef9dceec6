"""What the tests start from: a network of the examples, one at a time on a machine."""

import fcntl
import os
import pathlib
import re
import shutil
import sys
import tempfile

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import certificates  # noqa: E402
import program  # noqa: E402
import wait  # noqa: E402
from cluster import Cluster  # noqa: E402
from failure import failed, show_log  # noqa: E402
from ledger import Ledger  # noqa: E402
from network import BackupMx, TwoSite, relay_greets  # noqa: E402
from sink import Sink  # noqa: E402
from tracer import Tracer  # noqa: E402

SANITIZERS = ("ASAN_OPTIONS", "UBSAN_OPTIONS")  # set: the program under test is built with them


@pytest.fixture(scope="session", autouse=True)
def machine():
    """The addresses are fixed: two runs in one network take turns."""
    network = os.stat("/proc/self/ns/net").st_ino
    with open(pathlib.Path(tempfile.gettempdir(), f"holdfast-system-tests-{network}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    setattr(item, f"report_{report.when}", report)


@pytest.fixture
def scratch(monkeypatch):
    """A folder of the test's own, short enough for anything, gone afterwards. What sanitizers report fails the test."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-test-"))
    for name in sanitizers_of_program():
        monkeypatch.setenv(name, f"{os.environ[name]}:log_path={folder / 'report'}")
    yield folder
    program.kill_all_with(folder / "state")
    reports = "\n".join(path.read_text(errors="replace") for path in folder.glob("report.*"))
    shutil.rmtree(folder, ignore_errors=True)
    assert not reports, reports


def sanitizers_of_program():
    """The names of what is set."""
    return [name for name in SANITIZERS if name in os.environ]


@pytest.fixture
def make_network(request, scratch):
    """make_network(kind, example, changes): a network, not started. changes: pairs of a text of the example's
    configuration, which must be in it, and what stands there instead."""
    made = []

    def make(kind, example, changes=()):
        for path in program.EXAMPLES.iterdir():
            shutil.copy(path, scratch)
        config = scratch / example
        text = config.read_text()
        for old, new in changes:
            assert old in text, f"{example} has no '{old}'"
            text = text.replace(old, new)
        config.write_text(text)
        (scratch / "state").mkdir(exist_ok=True)
        network = kind(config, scratch / "state", scratch / "log")
        made.append(network)
        return network

    yield make
    for network in made:
        if sanitizers_of_program() and not failed(request.node):
            network.stop()  # leaks are looked for at a clean end only
        network.kill_everything()
        if failed(request.node):
            show_log(network.log_path)


@pytest.fixture
def two_site(make_network):
    return make_network(TwoSite, "two-site.conf").start()


@pytest.fixture
def backup_mx(make_network):
    return make_network(BackupMx, "backup-mx.conf").start()


@pytest.fixture
def start_built_relay(make_network, monkeypatch):
    """start_built_relay(changes): a relay alone of the usual build, never of one with sanitizers, for what is measured;
    its network and process."""

    def start(changes=()):
        monkeypatch.setattr(program, "BINARY", program.BUILT)
        network = make_network(BackupMx, "backup-mx.conf", changes)
        process = network.spawn("relay", "--node", "relay1", binary=program.BINARY)
        wait.until(lambda: relay_greets(*BackupMx.RELAY), "a relay that greets", abandon=process.poll)
        return network, process

    return start


@pytest.fixture
def make_sink():
    """make_sink(address, port): an external server, running."""
    made = []

    def make(address=BackupMx.SERVER[0], port=BackupMx.SERVER[1]):
        made.append(Sink(address, port).start())
        return made[-1]

    yield make
    for sink in made:
        sink.stop()


@pytest.fixture
def make_cluster(scratch):
    """make_cluster(name, address): a PostgreSQL that is to be created; ended at the test's end."""
    made = []
    scratch.chmod(0o711)  # its user passes through

    def make(name, address, **options):
        made.append(Cluster(scratch / f"cluster-{name}", address, name=name, **options))
        return made[-1]

    yield make
    for cluster in made:
        if cluster.process:
            cluster.kill()


@pytest.fixture
def sink(make_sink):
    """The server of examples/backup-mx.conf."""
    return make_sink()


@pytest.fixture
def authority(scratch):
    return certificates.Authority(scratch)


@pytest.fixture
def make_tracer(scratch):
    """make_tracer(pid, inject, ...): strace at its work on a process that runs, or on a thread of it."""
    made = []

    def make(pid, inject, *args, **options):
        made.append(Tracer(pid, scratch / f"strace-{len(made)}", inject, *args, **options))
        return made[-1]

    yield make
    for tracer in made:
        tracer.end()


@pytest.fixture
def ledger(request):
    return Ledger(re.sub(r"\W+", "-", request.node.name)[:60].strip("-"))
