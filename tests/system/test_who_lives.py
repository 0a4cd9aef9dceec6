"""Each role is a process of its own, so that one can die alone: a node that runs a relay only is alive and works, a
director's death costs its node's relay nothing, a relay's death costs it its queue, and `status` says so, also when
the directors are away."""

import signal
import smtplib

import program
import sender
from network import MANUAL, TwoSite

# The west has a relay and a name server alone.
RELAY_ONLY = (
    ('site = "west"  roles = {"dns", "relay", "director", "mailbox"}', 'site = "west"  roles = {"dns", "relay"}'),
    ('web "west" { node = "west1"  listen = {"127.2.0.1:8025"} }', ""),
    ('create { site = "west"  address = "127.2.0.10"  provisioner = "process"  fence = "epoch"    timeout = "30s" }', ""),
)
MAILBOX_ONLY = (('site = "west"  roles = {"dns", "relay", "director", "mailbox"}',
                 'site = "west"  roles = {"dns", "relay", "mailbox"}'),)


def greets(address):
    with smtplib.SMTP(timeout=sender.SMTP_LIMIT_S) as smtp:
        return smtp.connect(address, TwoSite.SMTP)[0] == 220


def await_leader_to_have_looked(network):
    """An order that the leading director carries out: with the same look it decides who owns which queue."""
    network.must("site", "back", "west")


def test_a_node_with_a_relay_only(make_network, ledger):
    network = make_network(TwoSite, "two-site.conf", RELAY_ONLY)
    checked = network.command("check-config")
    assert checked.returncode == program.DONE, checked.stdout + checked.stderr
    network.start()
    network.await_operational_at(network.HOME)
    await_leader_to_have_looked(network)
    west, relay = network.node("west1"), network.relay("relay-west")
    assert west["alive"] and west["director"] is None and "run" in program.command_line(west["pid"])
    assert relay["alive"] and relay["queue_owner"] == "west1"
    assert len(network.mta(ledger).send_by(network.RELAY_WEST, 3)) == 3
    network.judge(ledger)


def test_a_director_dies_alone(two_site, ledger):
    two_site.await_operational_at(two_site.HOME)
    two_site.pause_role("director", "west1")
    two_site.until(lambda: two_site.node("west1")["director"] is False and two_site.status()["lease"]["holder"] == "east1",
                   "the end of its leases")
    await_leader_to_have_looked(two_site)
    assert two_site.node("west1")["alive"]
    assert two_site.relay("relay-west")["alive"] and two_site.relay("relay-west")["queue_owner"] == "west1"
    assert len(two_site.mta(ledger).send_by(two_site.RELAY_WEST, 3)) == 3
    two_site.judge(ledger)
    two_site.signal_role("director", "west1", signal.SIGCONT)
    two_site.until(lambda: two_site.node("west1")["director"], "its return")


def test_status_while_both_directors_are_away(two_site, ledger):
    two_site.await_operational_at(two_site.HOME)
    pids = {node["name"]: node["pid"] for node in two_site.status()["nodes"]}
    two_site.pause_role("director", "east1", "west1")
    two_site.until(lambda: not any(node["director"] for node in two_site.status()["nodes"]), "the end of their leases")
    status = two_site.status()
    assert not status["lease"]["held"]
    assert [relay["alive"] for relay in status["relays"]] == [True, True]
    assert [relay["queue_owner"] for relay in status["relays"]] == ["east1", "west1"]
    assert {node["name"]: (node["alive"], node["pid"]) for node in status["nodes"]} == {
        name: (True, pid) for name, pid in pids.items()}
    assert status["servers"][0]["state"] == "operational"  # by what the relays see
    for address in (two_site.RELAY_EAST, two_site.RELAY_WEST):
        assert len(two_site.mta(ledger).send_by(address, 2)) == 2
    two_site.judge(ledger)


def test_a_stopped_relay_loses_its_queue(make_network, ledger):
    network = make_network(TwoSite, "two-site.conf", MANUAL).start()
    network.await_operational_at(network.HOME)
    network.kill_server()
    network.await_steered_to_relays()
    assert len(network.mta(ledger).send_by(network.RELAY_WEST, 3)) == 3
    network.pause_role("relay", "west1")
    network.until(lambda: not network.relay("relay-west")["alive"], "the end of its lease")
    assert network.node("west1")["alive"] and network.node("west1")["director"]
    network.until(lambda: network.relay("relay-west")["queue_owner"] == "east1", "another that owns its queue")
    network.must("server", "failover", "mail1")
    network.judge(ledger)  # delivered by the other
    network.signal_role("relay", "west1", signal.SIGCONT)
    network.until(lambda: network.relay("relay-west")["alive"]
                  and network.relay("relay-west")["queue_owner"] == "west1", "its return")
    network.until(lambda: greets(network.RELAY_WEST) and len(network.mta(ledger).send_by(network.RELAY_WEST, 1)) == 1,
                  "mail that it takes again")
    network.judge(ledger)


def test_a_mailbox_needs_a_director_on_its_node(make_network):
    network = make_network(TwoSite, "two-site.conf", MAILBOX_ONLY)
    done = network.command("check-config")
    assert done.returncode == program.FAILED
    assert 'node "west1": it has the role "mailbox" without "director"' in done.stdout + done.stderr


def test_a_first_start_without_a_place_is_told_once(make_network):
    network = make_network(TwoSite, "two-site.conf")
    network.start_node("west1")

    def alarms():
        return [event["detail"]["detail"] for event in network.json("events", "--limit", "1000")
                if (event["kind"], event["subject"]) == ("alarm", "mail1")]

    network.until(alarms, "the alarm")
    assert network.server()["state"] == "absent"
    network.start_node("east1")
    network.await_operational_at(network.HOME)
    [text] = alarms()
    assert text.startswith("no live node can create it: create in east: no live node"), text
