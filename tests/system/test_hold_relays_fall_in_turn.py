"""Relays are killed, and stand still until another has their queue, in turn and under load: each time the other one goes
on, and in the end every 250 is accounted for."""

import signal

import pytest
from load import Load
from network import TwoSite

MORE = 20  # messages that the other takes meanwhile
RELAYS = {"relay-east": ("east1", TwoSite.RELAY_EAST), "relay-west": ("west1", TwoSite.RELAY_WEST)}


def takes_more(network, ledger, address):
    goal = ledger.hosts()[address] + MORE
    network.until(lambda: ledger.hosts()[address] >= goal, f"more mail taken by {address}")


def kill(network, ledger, name, other):
    """Its supervisor starts it again."""
    node, address = RELAYS[name]
    network.signal_role("relay", node, signal.SIGKILL)
    takes_more(network, ledger, RELAYS[other][1])
    takes_more(network, ledger, address)


def pause(network, ledger, name, other):
    """For so long that its lease runs out and the other brings its mail."""
    node, address = RELAYS[name]
    network.pause_role("relay", node)
    network.until(lambda: network.relay(name)["queue_owner"] == RELAYS[other][0], f"another that owns the queue of {name}")
    takes_more(network, ledger, RELAYS[other][1])
    network.signal_role("relay", node, signal.SIGCONT)
    network.until(lambda: network.relay(name)["queue_owner"] == node, f"the return of {name}")
    takes_more(network, ledger, address)


@pytest.mark.timeout(200)
def test_every_250_is_accounted_for(two_site, ledger):
    loads = [Load(two_site.mta(ledger), threads=2, addresses=[address]) for _, address in RELAYS.values()]
    try:
        for fall in (kill, pause):
            fall(two_site, ledger, "relay-east", "relay-west")
            fall(two_site, ledger, "relay-west", "relay-east")
    finally:
        for load in loads:
            load.end()
    two_site.judge(ledger, limit_s=90)
