"""What is measured: each is started in a folder of its own on a port of its own, and ended."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

import program
import release
import wait
from network import relay_greets

ADDRESS = "127.0.0.1"
BACKLOG = 256
NO_SERVER = 1  # nothing listens on this port
DEBIAN = pathlib.Path("/usr/share/postfix")


def free_port():
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return probe.getsockname()[1]


class Peer:
    """start() makes it greet; empty() forgets what it took; stop() leaves nothing. What it takes it delivers to the
    server's port."""

    address = ADDRESS

    def __init__(self, folder, server_port=NO_SERVER):
        self.folder = folder
        self.server_port = server_port
        self.port = free_port()
        folder.mkdir()

    def await_greeting(self, abandon=None):
        wait.until(lambda: relay_greets(self.address, self.port), f"{self.name} that greets", abandon=abandon)

    def empty(self):
        pass


class Holdfast(Peer):
    """The relay role alone, release build."""

    name = "holdfast"
    store, store_options = "sqlite:store", ""  # the latter behind the url
    changes = ()  # further ones of the example's text: (old, new)

    def start(self):
        text = (program.EXAMPLES / "backup-mx.conf").read_text()
        for old, new in (("127.0.0.1:2525", f"{ADDRESS}:{self.port}"), ("smtp_port = 2600", f"smtp_port = {self.server_port}"),
                         ('"sqlite:store"', f'"{self.store}"{self.store_options}'), *self.changes):
            assert old in text, old
            text = text.replace(old, new)
        (self.folder / "holdfast.conf").write_text(text)
        self.binary = release.build()
        self._spawn()

    def _spawn(self):
        self.state = self.make_state()
        self.run()

    def make_state(self):
        state = self.folder / "state"
        state.mkdir()
        return state

    def run(self):
        """On the state that there is."""
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.argv("relay", "--node", "relay1"), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT)
        self.await_greeting(self.process.poll)

    def argv(self, *words):
        return [str(word) for word in (self.binary, *words, "-c", self.folder / "holdfast.conf", "--state-dir", self.state)]

    def empty(self):
        self.stop()
        self._spawn()

    def end(self):
        """Cleanly; its state stays."""
        self.process.terminate()
        self.process.wait()

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.state)

    def flush(self):
        """It sees for itself that its server is back."""

    def holds(self):
        """How many messages the operator sees."""
        done = subprocess.run(self.argv("status", "--json"), capture_output=True, text=True, check=True)
        return sum(relay["queued"] for relay in json.loads(done.stdout)["relays"])

    def peak_mib(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) / 1024


class InMemory(Holdfast):
    """The same with its store in memory, where a sync does nothing."""

    name = "no disk"

    def make_state(self):
        return pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-", dir="/dev/shm"))


class SmtpSink(Peer):
    """Stores nothing: what a sender can reach at most."""

    name = "smtp-sink"

    def start(self):
        user = [] if not is_root() else ["-u", "nobody"]
        with open(self.folder / "counts", "wb") as counts:
            self.process = subprocess.Popen(["smtp-sink", *self.options, *user, f"{self.address}:{self.port}", str(BACKLOG)],
                                            stdin=subprocess.DEVNULL, stdout=counts, stderr=subprocess.DEVNULL)
        self.await_greeting(self.process.poll)

    options = ()

    def stop(self):
        self.process.kill()
        self.process.wait()


class CountingSink(SmtpSink):
    """A server that takes all there is; count() says how many messages."""

    name = "server"
    options = ("-c",)

    def count(self):
        counts = self.folder / "counts"
        with open(counts, "rb") as file:
            file.seek(max(0, counts.stat().st_size - 200))
            found = re.findall(rb"mesg=(\d+)\r", file.read())
        return int(found[-1]) if found else 0


class Postfix(Peer):
    """Debian's configuration in a folder of its own; only places, names and the port differ, and where it delivers to."""

    name = "postfix"

    def start(self):
        self.folder.chmod(0o755)
        self.config = self.folder / "etc"
        shutil.copytree("/etc/postfix", self.config, symlinks=True)
        (self.config / "main.cf").write_text((DEBIAN / "main.cf.debian").read_text() + self._places())
        (self.config / "master.cf").write_text(self._services())
        for name in ("queue", "data"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix")
        self._postfix("start")
        self.await_greeting()

    def _places(self):
        return (f"queue_directory = {self.folder}/queue\ndata_directory = {self.folder}/data\n"
                f"inet_interfaces = {ADDRESS}\ninet_protocols = ipv4\nmyhostname = postfix.bench.test\n"
                f"mydestination =\nrelay_domains = example.test\n{self._onward()}"
                f"maillog_file = {self.folder}/log\nmaillog_file_prefixes = {self.folder}\n")

    def _onward(self):
        if self.server_port == NO_SERVER:
            return "defer_transports = relay, smtp\n"
        return f"transport_maps = inline:{{example.test=relay:[{ADDRESS}]:{self.server_port}}}\n"

    def _services(self):
        text = (DEBIAN / "master.cf.dist").read_text()
        text = re.sub(r"^smtp      inet  n", f"{ADDRESS}:{self.port} inet  n", text, flags=re.MULTILINE)
        # not in a change-root: its queue folder is ours, without Debian's copies of system files
        return re.sub(r"^(\S+\s+(?:inet|unix)\s+\S+\s+\S+\s+)y", r"\1n", text, flags=re.MULTILINE)

    def _postfix(self, command):
        done = subprocess.run(["postfix", "-c", str(self.config), command], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + self._log()

    def _log(self):
        log = self.folder / "log"
        return log.read_text()[-2000:] if log.exists() else ""

    def settings(self):
        return subprocess.run(["postconf", "-c", str(self.config), "-n"], capture_output=True, text=True).stdout

    def empty(self):
        subprocess.run(["postsuper", "-c", str(self.config), "-d", "ALL"], capture_output=True, check=True)

    def stop(self):
        self._postfix("abort")

    def flush(self):
        subprocess.run(["postqueue", "-c", str(self.config), "-f"], check=True)

    def holds(self):
        """Those that it has tried, and that wait for another attempt."""
        return sum(len(files) for _, _, files in os.walk(self.folder / "queue" / "deferred"))


def is_root():
    return os.geteuid() == 0
