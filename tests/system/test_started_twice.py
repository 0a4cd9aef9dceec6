"""A second start on the same state folder is refused, and the first does not notice."""

import program
import pytest
import wait
from network import BackupMx, TwoSite


def end_of(network, *words, limit_s=30):
    """Exit status and words of a start that is to be refused."""
    done = network.command(*words, limit_s=limit_s)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("words", [("run",), ("run", "--node", "east1"), ("relay", "--node", "east1"),
                                   ("director", "--node", "east1"), ("dns", "--node", "east1")])
def test_the_second_is_refused_and_the_first_goes_on(two_site, ledger, words):
    before = two_site.status()
    logged = two_site.log_path.stat().st_size
    status, said = end_of(two_site, *words)
    assert status == program.FAILED and "is already running (pid " in said and "end that first" in said, said
    after = two_site.status()
    assert after["lease"]["holder"] == before["lease"]["holder"]
    assert [node["pid"] for node in after["nodes"]] == [node["pid"] for node in before["nodes"]]
    with open(two_site.log_path, encoding="utf-8", errors="replace") as log:
        log.seek(logged)
        later = log.read()
    assert "lease is lost" not in later and "leads" not in later and "given up" not in later, later
    two_site.mta(ledger).send_by(TwoSite.RELAY_EAST, 1)
    two_site.judge(ledger)


def test_run_is_refused_by_a_role_that_runs_alone(make_network):
    network = make_network(BackupMx, "backup-mx.conf")
    relay = network.spawn("relay", "--node", "relay1")
    network.until(lambda: network.command("queue", "list").returncode == program.DONE, "a relay's store")
    for words in (("run",), ("run", "--node", "relay1")):
        status, said = end_of(network, *words)
        assert status == program.FAILED and f"relay1's relay is already running (pid {relay.pid}, " in said, said
    assert relay.poll() is None


def test_started_again_at_once_after_a_kill(make_network):
    """No lock outlives its process."""
    network = make_network(BackupMx, "backup-mx.conf").start()
    network.kill_everything()
    network.start()


def test_the_nodes_one_by_one(make_network):
    """Different nodes share the state folder."""
    network = make_network(TwoSite, "two-site.conf")
    network.spawn("run", "--node", "east1")
    network.spawn("run", "--node", "west1")
    network.await_ready()
    status, said = end_of(network, "run")
    assert status == program.FAILED and "is already running" in said, said
    wait.until(lambda: all(node["alive"] for node in network.status()["nodes"]), "both nodes alive")
