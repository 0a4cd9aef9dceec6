"""An order that was taken is carried out, also when whoever gave it has gone, and who had taken it died."""

import signal
import sqlite3
import subprocess

import program
import pytest
import wait
from network import BackupMx

ENDING_LIMIT_S = 30
TAKE = """UPDATE record SET value = json_set(value, '$.state', 'taken'), version = version + 1
          WHERE kind = 'order' AND json_extract(value, '$.state') = 'new'"""


@pytest.fixture
def relay_gone(make_network, ledger):
    """One message waits in the queue of a relay that has died."""
    network = make_network(BackupMx, "backup-mx.conf")
    relay = network.spawn("relay", "--node", "relay1")
    network.until(lambda: network.mta(ledger).send_by(network.RELAY[0], 1), "a message that was taken")
    relay.kill()
    relay.wait()
    return network


def give(network, *words):
    return subprocess.Popen([program.BINARY, *words, "-c", str(network.config), "--state-dir", str(network.state_dir)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def take(network):
    """As the relay did before it died. Whether there was an order."""
    [path] = network.state_dir.glob("**/network.db")
    with sqlite3.connect(path) as db:
        taken = db.execute(TAKE).rowcount
    db.close()
    return taken == 1


def acts(network):
    return [event["detail"] for event in network.json("events") if event["kind"] == "order"]


def test_who_gave_it_is_told_that_it_goes_on(relay_gone):
    network = relay_gone
    giving = give(network, "queue", "hold", "--all", "--why", "a test")
    wait.until(lambda: take(network), "the order", tolerate=sqlite3.OperationalError)
    giving.send_signal(signal.SIGINT)
    _, said = giving.communicate(timeout=ENDING_LIMIT_S)
    assert giving.returncode == program.FAILED, said
    assert "being carried out" in said and "withdrawn" not in said and "nothing was changed" not in said, said
    assert acts(network) == []
    network.spawn("relay", "--node", "relay1")
    network.until(lambda: acts(network), "the act's event")
    [act] = acts(network)
    assert (act["state"], act["why"], act["verb"]) == ("done", "a test", "queue-hold") and '"changed":1' in act["result"]
    assert [row["state"] for row in network.json("queue", "list")] == ["held"]
