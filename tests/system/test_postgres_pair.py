"""The two-site network on a primary and its synchronous standby, with an operator's hands in the place of Patroni: they
are killed in turn, and what was accepted is read each time, once."""

import pytest
from network import TwoSite

EAST, WEST = "127.1.0.54", "127.2.0.54"

pytestmark = pytest.mark.timeout(400)  # four databases are made, one after another


@pytest.fixture
def make_standby(make_cluster):
    """make_standby(primary, name, address): a new one, for which commits wait from now on."""

    def make(primary, name, address):
        standby = make_cluster(name, address).create_standby(primary).start()
        primary.require_standby(name)
        primary.await_standby(name)
        return standby

    return make


@pytest.fixture
def network(make_network, make_cluster, make_standby):
    """And its primary and standby."""
    east = make_cluster("east", EAST).create().start()
    west = make_standby(east, "west", WEST)
    url = f"postgresql://holdfast@{EAST},{WEST}/postgres"
    changes = [('url = "sqlite:store"', f'url = "{url}"  durability = "local"'), ('site "east" { }', 'timing { lease = "5s" }\nsite "east" { }')]
    return make_network(TwoSite, "two-site.conf", changes).start(), east, west


def take_over(network, ledger, primary, standby):
    """The primary dies with its disk, and the standby is promoted."""
    mta = network.mta(ledger)
    mta.send_by(network.RELAY_EAST, 10)
    primary.lose_disk()
    assert not mta.send_by(network.RELAY_EAST, 1), "nothing is accepted that cannot be kept"
    standby.promote()
    network.until(lambda: mta.send_by(network.RELAY_EAST, 1), "a relay that takes mail again")
    network.judge(ledger)


def test_killed_in_turn(network, make_standby, ledger):
    network, east, west = network
    take_over(network, ledger, east, west)
    east = make_standby(west, "east", EAST)
    take_over(network, ledger, west, east)


def test_nothing_is_accepted_that_the_standby_does_not_have(network, ledger):
    network, _, west = network
    mta = network.mta(ledger)
    assert len(mta.send_by(network.RELAY_EAST, 5)) == 5
    west.freeze()
    attempt = mta.attempt_by(network.RELAY_EAST)
    assert attempt.outcome != "accepted", attempt.reply
    west.thaw()
    network.until(lambda: mta.send_by(network.RELAY_EAST, 1), "a relay that takes mail again")
    network.judge(ledger)
