"""1,000 messages sent while the server, or its site, is dead: none lost, none doubled."""

import pytest
from network import MANUAL, TwoSite

COUNT = 1000


@pytest.fixture
def network(make_network):
    return make_network(TwoSite, "two-site.conf", MANUAL).start()


def test_while_the_server_is_dead(network, ledger):
    network.kill_server()
    network.await_steered_to_relays()
    assert len(network.mta(ledger).send(COUNT)) == COUNT
    network.until(lambda: network.queued() == COUNT, "all of them in custody")
    network.must("server", "failover", "mail1")
    network.await_operational_at(network.HOME)
    network.judge(ledger, limit_s=90)


def test_while_the_site_is_dead(network, ledger):
    """Half of them are in the dead site's relay, the rest is sent after its death."""
    network.kill_server()
    network.await_steered_to_relays()
    mta = network.mta(ledger)
    mta.send(COUNT // 2)
    assert ledger.hosts() == {network.RELAY_EAST: COUNT // 2}
    network.kill_node("east1")
    mta.send(COUNT // 2)
    assert ledger.hosts()[network.RELAY_WEST] == COUNT // 2
    network.until(lambda: network.queued() == COUNT, "all of them in custody")
    network.must("server", "failover", "mail1")
    network.await_operational_at(network.REMOTE)
    network.judge(ledger, limit_s=90)
