"""One site's PostgreSQL with its Patroni, which decides by etcd who of the two takes writes: a commit waits for the
standby in the other site, and only that one may be promoted."""

import json
import os
import pwd
import shutil
import subprocess
import urllib.request

import cluster
import wait

PORT, REST_PORT = 5432, 8008
SCOPE = "holdfast"  # Patroni's name for the pair
ROLE, DATABASE = "holdfast", "holdfast"
PASSWORDS = {ROLE: "of-the-role", "postgres": "of-the-superuser", "replicator": "of-the-standby", "rewinder": "of-the-rewind"}
LOOK_LIMIT_S = 5
START_LIMIT_S = 90  # a copy of the other one included
GONE = (cluster.Failed, OSError, subprocess.TimeoutExpired)  # what a look at one that is away may raise

# As soon as is reasonable on a machine that does other things, too. Patroni's own rule is
# loop_wait + 2 * retry_timeout <= ttl; in earnest ttl is 20 at least.
DYNAMIC = {
    "ttl": 8, "loop_wait": 1, "retry_timeout": 3, "primary_start_timeout": 10,
    "synchronous_mode": True, "synchronous_mode_strict": True, "synchronous_node_count": 1,
    "postgresql": {
        "use_pg_rewind": True, "use_slots": True,
        "parameters": {
            "synchronous_commit": "on", "max_connections": 200, "shared_buffers": "32MB", "wal_keep_size": "128MB",
            "wal_sender_timeout": "3s", "wal_receiver_timeout": "5s", "wal_receiver_status_interval": "1s",
            "wal_retrieve_retry_interval": "1s",
            "password_encryption": "scram-sha-256", "log_min_messages": "warning",
        },
    },
}


class Database:
    """name: as which it is known to Patroni, and to the other one while it follows it (application_name)."""

    def __init__(self, place, address, folder, network):
        """network: whence it is spoken to."""
        self.place, self.address, self.network = place, address, network
        self.name = f"pg-{place.name}"
        self.folder = folder / self.name  # what Patroni keeps beside the data
        self.data = self.folder / "data"
        self.config, self.log_path = folder / f"{self.name}.yml", folder / f"{self.name}.log"
        self.process = None

    # ---- its making ----

    def create(self, authority, etcds):
        """Its folder and configuration; Patroni makes the rest when it starts."""
        self.folder.mkdir(mode=0o700)
        for source, name in zip((*authority.sign(self.name, [self.address]), authority.file),
                                ("server.crt", "server.key", "root.crt")):
            shutil.copyfile(source, self.folder / name)
            (self.folder / name).chmod(0o600)
        self.config.write_text(json.dumps(self.settings([etcd.client() for etcd in etcds]), indent=1))  # YAML, too
        for path in (self.folder, *self.folder.iterdir(), self.config):
            give_to_postgres(path)
        self.config.chmod(0o600)

    def settings(self, etcds):
        return {
            "scope": SCOPE, "name": self.name,
            "restapi": {"listen": f"{self.address}:{REST_PORT}", "connect_address": f"{self.address}:{REST_PORT}"},
            "etcd3": {"hosts": etcds},
            "bootstrap": {"dcs": DYNAMIC, "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"]},
            "postgresql": {
                "listen": f"{self.address}:{PORT}", "connect_address": f"{self.address}:{PORT}",
                "use_unix_socket": True, "data_dir": str(self.data), "bin_dir": cluster.PROGRAMS,
                "pgpass": str(self.folder / "pgpass"), "basebackup": [{"checkpoint": "fast"}],
                "authentication": {"superuser": self.user("postgres"), "replication": self.user("replicator"),
                                   "rewind": self.user("rewinder")},
                "pg_hba": ["local all all peer", *(f"hostssl {what} {self.network} scram-sha-256" for what in (
                    f"{DATABASE} {ROLE}", "replication replicator", "postgres rewinder", "postgres postgres"))],
                "parameters": {
                    "unix_socket_directories": str(self.folder), "ssl": "on",
                    "ssl_cert_file": str(self.folder / "server.crt"), "ssl_key_file": str(self.folder / "server.key"),
                },
            },
            "watchdog": {"mode": "off"},
        }

    def user(self, name):
        return {"username": name, "password": PASSWORDS[name], "sslmode": "verify-full",
                "sslrootcert": str(self.folder / "root.crt")}

    # ---- life ----

    def start(self):
        self.process = self.place.spawn(["patroni", str(self.config)], self.log_path, user="postgres",
                                        env=cluster.environment())

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """Patroni and PostgreSQL, all at once."""
        self.place.kill(str(self.config))
        self.place.kill(str(self.data))

    def lose_disk(self):
        self.kill()
        shutil.rmtree(self.data)

    def hand_over(self, candidate):
        """As an operator does: it gives up, and the other one takes writes when this returns."""
        words = json.dumps({"leader": self.name, "candidate": candidate.name}).encode()
        with urllib.request.urlopen(self.rest("switchover"), words, timeout=START_LIMIT_S) as answer:
            answer.read()

    # ---- looks ----

    def rest(self, what):
        return f"http://{self.address}:{REST_PORT}/{what}"

    def sql(self, text, database="postgres", limit_s=LOOK_LIMIT_S):
        """From its own machine, also while no network reaches it; waits for no standby."""
        return cluster.run("psql", "-XAtqw", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-d", database,
                           "-c", "SET synchronous_commit TO local", "-c", text,
                           user="postgres", limit_s=limit_s).strip()

    def takes_writes(self):
        """By its own word; False when it says nothing."""
        try:
            return self.sql("SELECT pg_is_in_recovery()") == "f"
        except GONE:
            return False

    def has_standby(self, name):
        """Commits here wait for that one, and Patroni has noted, in etcd, that it may be promoted: some seconds later."""
        try:
            with urllib.request.urlopen(self.rest("cluster"), timeout=LOOK_LIMIT_S) as answer:
                roles = {member["name"]: member["role"] for member in json.load(answer)["members"]}
            return (roles.get(name) == "sync_standby" and
                    self.sql(f"SELECT sync_state FROM pg_stat_replication WHERE application_name = '{name}'") == "sync")
        except (*GONE, ValueError):
            return False

    def role(self):
        """As Patroni sees it: "master", "replica", ...; None when it does not answer."""
        try:
            with urllib.request.urlopen(self.rest("patroni"), timeout=LOOK_LIMIT_S) as answer:
                return json.load(answer)["role"]
        except (OSError, ValueError):
            return None

    def make_database_of_holdfast(self):
        """On the one that takes writes."""
        wait.until(self.takes_writes, f"{self.name}, taking writes", limit_s=START_LIMIT_S, abandon=self.log_at_end)
        for text in (f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORDS[ROLE]}'", f"GRANT pg_monitor TO {ROLE}",
                     f"CREATE DATABASE {DATABASE} OWNER {ROLE} ENCODING 'UTF8' TEMPLATE template0"):
            self.sql(text, limit_s=START_LIMIT_S)

    def log_at_end(self):
        if self.runs():
            return None
        return f"Patroni ended: {self.log_path.read_text(errors='replace')[-2000:]}"


def give_to_postgres(path):
    entry = pwd.getpwnam("postgres")
    os.chown(path, entry.pw_uid, entry.pw_gid)
