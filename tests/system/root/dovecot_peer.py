"""Debian's Dovecot, as the external messaging server that takes mail by LMTP: an instance in a folder of its own."""

import shutil
import signal
import smtplib
import subprocess

import wait

SETTINGS = """protocols = lmtp
base_dir = {folder}/run
log_path = {folder}/log
ssl = no
default_internal_user = dovecot
default_login_user = dovenull
mail_location = maildir:%h
postmaster_address = postmaster@example.test
auth_username_format = %n
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
protocol lmtp {{
  mail_plugins = quota
}}
plugin {{
  quota = maildir
}}
service lmtp {{
  inet_listener lmtp {{
    address = {address}
    port = {port}
  }}
}}
"""
END_LIMIT_S = 20


class Dovecot:
    def __init__(self, folder, address, port, users):
        """users: of each name its quota, as "4k"; None: none."""
        self.folder, self.place, self._process = folder, (address, port), None
        folder.mkdir(mode=0o755)
        (folder / "mail").mkdir()
        shutil.chown(folder / "mail", "nobody", "nogroup")
        lines = [f"{name}::65534:65534::{folder}/mail/{name}::" + (f"userdb_quota_rule=*:storage={quota}" if quota else "")
                 for name, quota in users.items()]
        (folder / "users").write_text("\n".join(lines) + "\n")
        (folder / "conf").write_text(SETTINGS.format(folder=folder, address=address, port=port))

    def log(self):
        log = self.folder / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def start(self):
        self._process = subprocess.Popen(["dovecot", "-F", "-c", str(self.folder / "conf")], stdin=subprocess.DEVNULL)
        wait.until(self._greets, "a Dovecot that greets", abandon=lambda: self._process.poll() is not None and self.log())
        return self

    def stop(self):
        """Dead: nothing listens, open sessions are cut."""
        if not self._process:
            return
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(END_LIMIT_S)
        self._process = None
        wait.until(lambda: not self._greets(), "the end of Dovecot")

    def _greets(self):
        try:
            with smtplib.LMTP(*self.place) as session:
                return session.ehlo()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def contents(self, user):
        """What is in the INBOX, with the line ends of the wire."""
        folder = self.folder / "mail" / user / "new"
        return [path.read_bytes().replace(b"\n", b"\r\n") for path in folder.glob("*")]
