"""A queue that cannot be opened: the log, the status and the greeting say why, and it serves again once it was mended."""

import smtplib
import sqlite3

import pytest
from network import BackupMx


@pytest.fixture
def relay(make_network):
    return make_network(BackupMx, "backup-mx.conf")


def set_version(network, version):
    with sqlite3.connect(network.state_dir / "store" / "queue-relay1.db") as db:
        db.execute(f"PRAGMA user_version={version}")


def greeting(network):
    with smtplib.SMTP(timeout=10) as session:
        code, text = session.connect(*network.RELAY)
    return f"{code} {text.decode()}"


def test_the_reason_is_told_everywhere(relay, ledger, make_sink):
    network = relay.start()
    network.mta(ledger).send(2)
    network.stop()
    with sqlite3.connect(network.state_dir / "store" / "queue-relay1.db") as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
    set_version(network, 99)
    network.parents.clear()
    network.spawn("run")
    told = network.until(lambda: network.status()["relays"][0]["queue_problem"], "a status that tells")
    assert "schema version 99" in told and "queue-relay1.db" in told
    assert "schema version 99" in network.command("status").stdout
    network.until(lambda: "its queue cannot be opened (version" in greeting(network), "a greeting that says why")
    log = [line for line in network.log_path.read_text().splitlines() if "queue not opened" in line]
    assert len(log) == 1 and "schema version 99" in log[0], log
    set_version(network, version)
    network.until(lambda: greeting(network).startswith("220"), "service again")
    sink = make_sink()
    network.until(lambda: ledger.has_all(sink.contents()), "what it had accepted")
    ledger.judge(sink.contents())
