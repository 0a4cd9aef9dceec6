"""An order that nobody is there to carry out says so at once, and is withdrawn by Ctrl-C."""

import signal
import subprocess

import program
import pytest
from network import BackupMx

ENDING_LIMIT_S = 30


@pytest.fixture
def relay_alone(make_network):
    network = make_network(BackupMx, "backup-mx.conf")
    network.spawn("relay", "--node", "relay1")
    network.until(lambda: network.command("queue", "list").returncode == program.DONE, "a relay's store")
    return network


def give(network, *words):
    """The command, once it has said that it waits."""
    giving = subprocess.Popen([program.BINARY, *words, "-c", str(network.config), "--state-dir",
                               str(network.state_dir)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = giving.stderr.readline()
    assert "no director leads" in said and "waits" in said, said
    return giving


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_the_order_is_withdrawn(relay_alone, signum):
    giving = give(relay_alone, "server", "fence", "mail1")
    giving.send_signal(signum)
    _, said = giving.communicate(timeout=ENDING_LIMIT_S)
    assert giving.returncode == program.FAILED and "withdrawn" in said, said
    director = relay_alone.spawn("director", "--node", "relay1")
    relay_alone.until(lambda: relay_alone.status()["lease"]["held"], "a director that leads")
    done = relay_alone.command("site", "back", "home")  # orders are seen together: the first would be, too
    assert done.returncode == program.DONE, done.stderr
    assert "fence" not in relay_alone.server()["state"], "done by surprise"
    assert director.poll() is None


def test_the_order_is_carried_out_by_who_leads_later(relay_alone):
    giving = give(relay_alone, "site", "lost", "home")
    relay_alone.spawn("director", "--node", "relay1")
    out, said = giving.communicate(timeout=ENDING_LIMIT_S)
    assert giving.returncode == program.DONE and "recorded as lost" in out, said
