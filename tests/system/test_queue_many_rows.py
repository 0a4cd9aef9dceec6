"""A queue of many rows is looked at in pages: all of them are found, in bounded memory."""

import json
import os
import sqlite3
import subprocess

import program
import pytest
from network import ALICE, BackupMx

MANY = 40_000  # pages of 500 and 1,000
MORE_BYTES = 16 << 20  # for all of them, than for one: their JSON alone has more


def fill(path):
    """As if so many had been accepted: number N is delivery N, to userN, and each tenth thousand to alice."""
    with sqlite3.connect(path) as db:
        db.execute("INSERT OR IGNORE INTO place(domain, home, waiting, held, quarantined) VALUES('example.test', '', 0, 0, 0)")
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1001 UNION ALL SELECT i + 1 FROM n WHERE i < {1000 + MANY})"
        db.execute(f"{numbers} INSERT INTO message(id, custody_id, body_id, size_bytes, reverse_path, helo, client, flags,"
                   " received_ms, first_delivery, deliveries, envid, header_id)"
                   " SELECT i, randomblob(16), 0, 1, 'sender@example.net', 'h', '192.0.2.1', 0, i, i, 1, '', '' FROM n")
        db.execute(f"{numbers} INSERT INTO live(id, message_id, place_id, state, lossy, next_ms, attempts, losses, recipient,"
                   " last_reply, since_ms) SELECT i, i, (SELECT id FROM place WHERE domain = 'example.test' AND home = ''),"
                   f" 0, 0, 0, 0, 0, iif(i % 10000 = 0, '{ALICE}', 'user' || i || '@example.test'),"
                   " '451 4.3.0 not now', i FROM n")
    db.close()


@pytest.fixture
def many(make_network):
    """A network that has ended: its queue can be looked at."""
    network = make_network(BackupMx, "backup-mx.conf").start()
    network.stop()
    fill(network.state_dir / "store" / "queue-relay1.db")
    return network


def listed(network, to, *words):
    """The rows, and the most memory that it took."""
    argv = [program.BINARY, "queue", "list", "--json", *words, "-c", str(network.config), "--state-dir", str(network.state_dir)]
    with open(to, "wb") as out:
        process = subprocess.Popen(argv, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == program.DONE
    return json.loads(to.read_bytes()), usage.ru_maxrss * 1024


def test_all_rows_are_found_in_bounded_memory(many, tmp_path):
    one, least = listed(many, tmp_path / "one", "--limit", "1")
    rows, most = listed(many, tmp_path / "all")
    assert [row["delivery"] for row in one] == [1001]
    assert [row["delivery"] for row in rows] == list(range(1001, 1001 + MANY))
    assert (tmp_path / "all").stat().st_size + least > most, "no room to tell a list that is held whole"
    assert most < least + MORE_BYTES


def test_a_person_gets_more_than_a_page(many):
    shown = many.must("queue", "list", "--limit", "1200").splitlines()
    assert shown[-1].startswith("-- the first 1200; what follows: --after relay1:2200")
    assert len(shown) == 1202
    page = many.json("queue", "list", "--after", "relay1:2200", "--limit", "3")
    assert [row["delivery"] for row in page] == [2201, 2202, 2203]


def test_trace_looks_at_all_pages(many):
    lives = many.json("trace", ALICE)
    assert sorted(life["delivery"] for life in lives) == [10_000, 20_000, 30_000, 40_000]
    [newest] = many.json("trace", ALICE, "--limit", "1")
    assert newest["delivery"] == 40_000
