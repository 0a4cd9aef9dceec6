"""What is measured on PostgreSQL: a cluster, a relay whose store it is, and pgbench on the same tables."""

import re
import subprocess

import cluster
import peers
import wait

CLIENTS, THREADS = 20, 2
SCHEMA = '"queue_relay1"'


class Cluster(cluster.Cluster):
    """With the memory that a small server gives it; it syncs as it does in earnest."""

    settings = (*cluster.SETTINGS, "shared_buffers=256MB", "max_wal_size=4GB")

    def __init__(self, folder, name):
        super().__init__(folder / name, peers.ADDRESS, peers.free_port(), name)

    def empty(self, database):
        self.sql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        self.sql(f"CREATE DATABASE {database}")

    def forget_standby(self):
        """One that has ended: what is written is not kept for it any more."""
        wait.until(lambda: not self.sql("SELECT 1 FROM pg_replication_slots WHERE active"), "the end of a standby's connection")
        self.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


def relay_on(on, database="relay"):
    """A class of relays that have this database of a cluster."""

    class OnPostgres(peers.Holdfast):
        name = "postgresql"
        store = on.uri(database)
        store_options = '  durability = "local"'  # what the database does is measured

        def make_state(self):
            on.empty(database)
            return super().make_state()

    return OnPostgres


# ---- pgbench ----

# What an accept writes, but for the counts of its place: a message in one transaction, by one statement.
ONE = f"""
WITH i AS (SELECT nextval('number') AS id),
b AS (INSERT INTO {SCHEMA}.body(id, refs, writer, size_bytes, chunk_bytes) SELECT id, 1, 0, length(:body), 65536 FROM i),
c AS (INSERT INTO {SCHEMA}.chunk(id, crc, data) SELECT id << 16, 0, CAST(:body AS bytea) FROM i),
m AS (INSERT INTO {SCHEMA}.message(id, custody_id, body_id, size_bytes, reverse_path, helo, client, flags, received_ms,
 first_delivery, deliveries, envid, header_id) SELECT id, uuid_send(gen_random_uuid()), id, length(:body), 'sender@outside.test',
 'outside.test', '127.0.0.1', 0, 1700000000000, id, 1, '', '' FROM i)
INSERT INTO {SCHEMA}.live(id, message_id, place_id, state, lossy, next_ms, attempts, losses, recipient, last_reply, since_ms)
 SELECT id, id, 1, 0, 0, 0, 0, 0, 'alice@example.test', '', 1700000000000 FROM i;
"""


class Rows:
    """pgbench, which inserts the same rows one message after the other; the tables are those that a relay has made."""

    name = "pgbench"
    database = "rows"

    def __init__(self, folder, on):
        self.folder, self.on = folder, on
        folder.mkdir()

    def start(self):
        maker = relay_on(self.on, self.database)(self.folder / "maker")
        maker.start()
        maker.end()
        self.on.sql("CREATE SEQUENCE number CACHE 100", self.database)
        (self.folder / "one.sql").write_text(ONE)

    def rate(self, count, size):
        """Messages a second."""
        argv = [f"{cluster.PROGRAMS}/pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", str(THREADS), "-t",
                str(max(1, count // CLIENTS)), "-D", f"body={body(size)}", "-f", str(self.folder / "one.sql"),
                self.on.uri(self.database)]
        done = subprocess.run(argv, env=cluster.environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return float(re.search(r"tps = ([\d.]+) \(without initial", done.stdout)[1])

    def empty(self):
        self.on.sql(f"TRUNCATE {SCHEMA}.body, {SCHEMA}.chunk, {SCHEMA}.message, {SCHEMA}.live", self.database)


def body(size):
    """As smtp-source's: lines."""
    return (("X" * 80 + "\n") * (size // 81 + 1))[:size]
