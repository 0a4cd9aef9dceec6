"""A PostgreSQL 15 on an address of its own, that syncs as it does in earnest: started, killed, frozen, given a
synchronous standby, which is promoted when its primary is gone."""

import os
import pwd
import shutil
import signal
import subprocess

import program
import wait

PROGRAMS = "/usr/lib/postgresql/15/bin"  # where Debian's package puts them
USER = "holdfast"  # its superuser, without a password
START_LIMIT_S = 60  # a recovery after a kill included
SETTINGS = ("fsync=on", "shared_buffers=32MB", "max_connections=100", "wal_level=replica", "hot_standby=on",
            "wal_receiver_status_interval=1s", "log_min_messages=warning")


class Failed(AssertionError):
    """What a program of PostgreSQL's had to say."""


def run(*argv, user=None, limit_s=START_LIMIT_S):
    """One of its programs, to its end; what it printed."""
    done = subprocess.run([*user_words(user), f"{PROGRAMS}/{argv[0]}", *argv[1:]], env=environment(), cwd="/",
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit_s, check=False)
    if done.returncode != 0:
        raise Failed(f"{argv[0]}: {done.stderr or done.stdout}")
    return done.stdout


def user_words(user):
    return ["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user else []


def environment():
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}  # none of libpq's own variables


class Cluster:
    """In a folder of its own, which the user postgres must reach when we are root: PostgreSQL refuses root."""

    settings = SETTINGS

    def __init__(self, folder, address, port=5432, name="holdfast"):
        self.folder, self.address, self.port, self.name = folder, address, port, name
        self.user = "postgres" if os.geteuid() == 0 else None
        self.log_path = folder.parent / f"{folder.name}.log"
        self.process = None

    def uri(self, database="postgres"):
        return f"postgresql://{USER}@{self.address}:{self.port}/{database}"

    def make_folder(self):
        self.folder.mkdir(mode=0o700)
        self.give(self.folder)

    def give(self, path):
        """To the user that it runs as."""
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    # ---- life ----

    def create(self):
        """An empty one; not started."""
        self.make_folder()
        run("initdb", "-D", str(self.folder), "--no-sync", "--auth=trust", f"--username={USER}", "--encoding=UTF8",
            "--locale=C", "--data-checksums", user=self.user)
        return self

    def create_standby(self, primary):
        """A copy of a primary that runs, which follows it under the own name once started."""
        self.make_folder()
        run("pg_basebackup", "-D", str(self.folder), "--no-sync", "--checkpoint=fast", "--wal-method=stream",
            "--write-recovery-conf", "--create-slot", "--slot", self.name, "-d",
            f"{primary.uri()}?application_name={self.name}", user=self.user)
        return self

    def start(self):
        """Returns when it takes connections. It ends with us."""
        settings = (*self.settings, f"listen_addresses={self.address}", f"port={self.port}", "unix_socket_directories=")
        argv = [*user_words(self.user), "setpriv", "--pdeathsig", "QUIT", f"{PROGRAMS}/postgres", "-D", str(self.folder)]
        for setting in settings:
            argv += ["-c", setting]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(argv, env=environment(), cwd="/", stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, start_new_session=True)
        wait.until(self.takes_connections, f"PostgreSQL on {self.address}", limit_s=START_LIMIT_S, abandon=self.log_at_end)
        return self

    def takes_connections(self):
        return subprocess.run([f"{PROGRAMS}/pg_isready", "-q", "-d", self.uri()], env=environment(),
                              check=False).returncode == 0

    def log_at_end(self):
        if self.process.poll() is None:
            return None
        return f"it ended: {self.log_path.read_text(errors='replace')[-2000:]}"

    def stop(self):
        """In order; sessions are ended."""
        if self.process and self.process.poll() is None:
            self.thaw()
            self.process.send_signal(signal.SIGINT)
        if self.process:
            self.process.wait(START_LIMIT_S)
            self.process = None

    def guard(self, role, password, certificate, key):
        """A role of that name is let in under TLS only, where this certificate is shown, and with this password."""
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            shutil.copyfile(source, self.folder / name)
            (self.folder / name).chmod(0o600)
            self.give(self.folder / name)
        access = self.folder / "pg_hba.conf"
        access.write_text(f"hostssl all {role} all scram-sha-256\nhost all {role} all reject\n{access.read_text()}")
        self.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
        self.sql("ALTER SYSTEM SET ssl = on")
        self.sql("SELECT pg_reload_conf()")

    # ---- disasters ----

    def pids(self):
        """The server and all that it has started."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            return [pid, *map(int, children.read().split())]

    def kill(self):
        """As by a loss of power: all at once. What the kernel holds stays."""
        self.process.send_signal(signal.SIGSTOP)  # so that it starts none meanwhile
        pids = self.pids()
        for pid in pids:
            program.send_signal(pid, signal.SIGKILL)
        self.process.wait()
        wait.until(lambda: not any(map(program.is_alive, pids)), f"the end of PostgreSQL on {self.address}")
        self.process = None

    def freeze(self):
        """As a machine that stands still."""
        self.process.send_signal(signal.SIGSTOP)
        for pid in self.pids():
            program.send_signal(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in self.pids():
            program.send_signal(pid, signal.SIGCONT)

    def lose_disk(self):
        """With all that runs on it."""
        if self.process:
            self.kill()
        shutil.rmtree(self.folder)

    # ---- two of them ----

    def require_standby(self, *names):
        """From now on a commit waits until one of these has flushed it, whoever is there; none: it waits for nobody."""
        wanted = f"FIRST 1 ({', '.join(names)})" if names else ""
        self.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{wanted}'")
        self.sql("SELECT pg_reload_conf()")

    def await_standby(self, name):
        """Until a commit would be answered with it."""
        wait.until(lambda: self.sql(f"SELECT sync_state FROM pg_stat_replication WHERE application_name = '{name}'")
                   == "sync", f"the synchronous standby {name}")

    def promote(self):
        """It takes writes when this returns, and it waits for nobody, unless told to."""
        self.sql("SELECT pg_promote(true)")
        self.require_standby()

    # ---- what is in it ----

    def sql(self, text, database="postgres"):
        return run(*self.sql_words(text, database)).strip()

    def sql_words(self, text, database="postgres"):
        return "psql", "-XAtqw", "-v", "ON_ERROR_STOP=1", "-d", self.uri(database), "-c", text

    def sql_begin(self, text):
        """A process that has it done."""
        words = self.sql_words(text)
        return subprocess.Popen([f"{PROGRAMS}/{words[0]}", *words[1:]], env=environment(), stdin=subprocess.DEVNULL)

    def commits_waiting(self):
        """How many wait for a standby."""
        return int(self.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))
