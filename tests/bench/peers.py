"""What is measured: each is started in a folder of its own on a port of its own, and ended."""

import pathlib
import re
import shutil
import socket
import subprocess

import program
import release
import wait
from network import relay_greets

ADDRESS = "127.0.0.1"
BACKLOG = 256
DEBIAN = pathlib.Path("/usr/share/postfix")


def free_port():
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return probe.getsockname()[1]


class Peer:
    """start() makes it greet; empty() forgets what it took; stop() leaves nothing."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        folder.mkdir()

    def await_greeting(self, abandon=None):
        wait.until(lambda: relay_greets(ADDRESS, self.port), f"{self.name} that greets", abandon=abandon)

    def empty(self):
        pass


class Holdfast(Peer):
    """The relay role alone, release build; its server is never up."""

    name = "holdfast"

    def start(self):
        text = (program.EXAMPLES / "backup-mx.conf").read_text()
        (self.folder / "holdfast.conf").write_text(
            text.replace("127.0.0.1:2525", f"{ADDRESS}:{self.port}").replace("smtp_port = 2600", "smtp_port = 1"))
        self.binary = release.build()
        self._spawn()

    def _spawn(self):
        self.state = self.folder / "state"
        self.state.mkdir()
        self.run()

    def run(self):
        """On the state that there is."""
        argv = [self.binary, "relay", "--node", "relay1", "-c", self.folder / "holdfast.conf", "--state-dir", self.state]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT)
        self.await_greeting(self.process.poll)

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


class SmtpSink(Peer):
    """Stores nothing: what a sender can reach at most."""

    name = "smtp-sink"

    def start(self):
        user = [] if not is_root() else ["-u", "nobody"]
        self.process = subprocess.Popen(["smtp-sink", *user, f"{ADDRESS}:{self.port}", str(BACKLOG)],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.await_greeting(self.process.poll)

    def stop(self):
        self.process.kill()
        self.process.wait()


class Postfix(Peer):
    """Debian's configuration in a folder of its own; only places, names and the port differ, and what it takes is
    kept, because there is no server to deliver it to."""

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
                "mydestination =\nrelay_domains = example.test\ndefer_transports = relay, smtp\n"
                f"maillog_file = {self.folder}/log\nmaillog_file_prefixes = {self.folder}\n")

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


def is_root():
    import os
    return os.geteuid() == 0
