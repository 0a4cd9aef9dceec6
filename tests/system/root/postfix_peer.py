"""Debian's Postfix, as the external messaging server or as a sender: an instance in a folder of its own, with its default
limits."""

import pathlib
import re
import shutil
import subprocess

import wait
from network import relay_greets

DEBIAN = pathlib.Path("/usr/share/postfix")

SETTINGS = """queue_directory = {folder}/queue
data_directory = {folder}/data
inet_interfaces = {address}
inet_protocols = ipv4
myhostname = mail1.example.test
mydestination = example.test
local_recipient_maps = texthash:{folder}/users
local_transport = discard:
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
"""


class Postfix:
    def __init__(self, folder, address, port, users, settings=""):
        """settings: further lines of main.cf; the last one of a name holds."""
        self.folder, self.place, self._runs = folder, (address, port), False
        folder.mkdir(mode=0o755)
        (folder / "users").write_text("".join(f"{user} x\n" for user in users))
        shutil.copytree("/etc/postfix", folder / "etc", symlinks=True)
        (folder / "etc" / "main.cf").write_text((DEBIAN / "main.cf.debian").read_text()
                                                + SETTINGS.format(folder=folder, address=address) + settings)
        (folder / "etc" / "master.cf").write_text(self._services())
        for name in ("queue", "data"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")

    def _services(self):
        """Not in a change-root: the queue's folder has no copies of system files."""
        text = (DEBIAN / "master.cf.dist").read_text()
        text = re.sub(r"^smtp      inet  n", "%s:%d inet  n" % self.place, text, flags=re.MULTILINE)
        return re.sub(r"^(\S+\s+(?:inet|unix)\s+\S+\s+\S+\s+)y", r"\1n", text, flags=re.MULTILINE)

    def _command(self, word):
        done = subprocess.run(["postfix", "-c", str(self.folder / "etc"), word], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + self.log()

    def log(self):
        log = self.folder / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def start(self):
        self._command("start")
        self._runs = True
        wait.until(lambda: relay_greets(*self.place), "a Postfix that greets")
        return self

    def stop(self):
        """Dead: nothing listens, open sessions are cut."""
        if not self._runs:
            return
        self._command("abort")
        self._runs = False
        wait.until(lambda: not relay_greets(*self.place), "the end of Postfix")
