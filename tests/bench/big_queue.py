"""A queue of a million messages, and what it takes an operator to look at it while the relay runs."""

import os
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time

import peers

QUICK, FULL = 100_000, 1_000_000
RUNS = 5
DOMAINS = 50  # in turn, so that mail of each lies everywhere
RARE_HELD = 10

# Into the file of a relay that does not run. Bodies are not there: nothing here reads one.
FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO message(id, custody_id, body_id, size_bytes, reverse_path, helo, client, flags, received_ms, first_delivery,
                    deliveries)
SELECT i, randomblob(16), 0, 4096, 's' || (i % 1000) || '@outside.test', 'outside.test', '192.0.2.1', 0, :now - :count + i, i, 1
FROM n;
"""
PLACES = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :domains - 1)
INSERT INTO place(id, domain, home, waiting, held, quarantined)
SELECT i + 1, CASE i WHEN 0 THEN 'example.test' ELSE 'd' || i || '.test' END, '', 0, 0, 0 FROM n;
"""
LIVE = """
INSERT INTO live(id, message_id, place_id, state, lossy, next_ms, attempts, losses, recipient, last_reply, since_ms)
SELECT id, id, 1 + id % :domains, id % :held_each = 0, 0, :later, 1, 0,
       'u' || id || '@' || (SELECT domain FROM place WHERE place.id = 1 + message.id % :domains),
       '451 4.3.0 not now', received_ms FROM message;
"""
COUNTS = """
UPDATE place SET waiting = (SELECT count(*) FROM live WHERE place_id = place.id AND state = 0),
                 held = (SELECT count(*) FROM live WHERE place_id = place.id AND state = 1);
"""


def fill(path, count):
    now = int(time.time() * 1000)
    values = {"count": count, "now": now, "later": now + 10**9, "domains": DOMAINS, "held_each": count // RARE_HELD}
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    for sql in (FILL, PLACES, LIVE, COUNTS):
        db.execute(sql, {name: value for name, value in values.items() if f":{name}" in sql})
    db.commit()
    db.close()


def run(peer, *words):
    """Seconds and KiB of one command."""
    began = time.monotonic()
    child = subprocess.Popen(peer.argv(*words), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    took = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, words
    return took, usage.ru_maxrss


def measure(peer, count):
    half = f"relay1:{count // 2}"
    for words in (["queue", "list", "--limit", "20"],
                  ["queue", "list", "--limit", "20", "--after", half],
                  ["queue", "list", "--limit", "20", "--state", "held"],
                  ["queue", "list", "--limit", "20", "--server", "mail1"],
                  ["queue", "list", "--limit", "20", "--domain", "d7.test"],
                  ["queue", "list", "--limit", "20", "--sender", "s999@outside.test"],
                  ["queue", "list", "--limit", "20", "--recipient", f"u{count}@example.test"],
                  ["queue", "list", "--limit", "20", "--newer-than", "1s"],
                  ["queue", "list", "--json"],
                  ["queue", "hold", "--recipient", f"u{count}@example.test"]):
        taken = [run(peer, *words) for _ in range(RUNS if "--json" not in words else 1)]
        print(f"{statistics.median(t for t, _ in taken) * 1000:8.0f} ms {max(kib for _, kib in taken) / 1024:7.1f} MiB  "
              f"{' '.join(words)}", flush=True)


def main(full):
    count = FULL if full else QUICK
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
    folder.chmod(0o755)
    peer = peers.Holdfast(folder / "holdfast")
    try:
        peer.start()
        peer.end()  # it has made the file
        [path] = peer.state.rglob("queue-*.db")
        fill(path, count)
        began = time.monotonic()
        peer.run()
        print(f"{count} messages in custody; the relay greets {time.monotonic() - began:.2f} s after its start")
        measure(peer, count)
    finally:
        peer.stop()
        shutil.rmtree(folder)
