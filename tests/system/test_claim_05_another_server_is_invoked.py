"""When the attempts and the time that the configuration names are used up, the relay asks for another messaging server,
and the director invokes it: a standby that runs already, or one created by a provisioner."""

import pytest
import standby
from network import MANUAL, TwoSite


def test_one_is_created_by_the_provisioner(two_site):
    before = two_site.server()
    two_site.kill_server()
    two_site.until(lambda: two_site.server()["epoch"] > before["epoch"], "an instance with a higher epoch")
    two_site.await_operational_at(two_site.HOME)
    after = two_site.server()
    assert after["pid"] not in (0, before["pid"])


def test_a_standby_that_runs_already(make_network, make_sink, ledger):
    network, first, other = standby.start(make_network, make_sink)
    first.stop()
    network.until(lambda: network.status()["routes"]["example.test"]["server"] == "mail2", "the standby's turn")
    network.mta(ledger).send(5)
    network.until(lambda: ledger.has_all(other.contents()), "delivery to the standby")
    ledger.judge(other.contents())


@pytest.mark.parametrize("change", [('after = "500ms"', 'after = "1d"'), ("attempts = 2", "attempts = 1000")],
                         ids=["time", "attempts"])
def test_not_before_both_are_used_up(make_network, make_sink, ledger, change):
    """One of the two is out of reach; the other one is passed many times over, as the server itself sees."""
    network, first, other = standby.start(make_network, make_sink, [change])
    first.answers["greeting"] = "421 4.3.2 not taking mail"
    network.until(lambda: network.server("mail1")["state"] == "inoperable", "an inoperable server")
    network.mta(ledger).send(5)
    before = len(first.sessions)
    network.until(lambda: len(first.sessions) >= before + 12, "many attempts")
    assert network.status()["routes"]["example.test"]["server"] == "mail1" and other.messages == []
    network.must("server", "failover", "mail1")
    network.until(lambda: ledger.has_all(other.contents()), "delivery to the standby")
    ledger.judge(other.contents())


def test_an_operator_decides_in_manual_mode(make_network):
    network = make_network(TwoSite, "two-site.conf", MANUAL).start()
    before = network.server()["epoch"]
    network.kill_server()
    network.await_steered_to_relays()
    assert network.server()["epoch"] == before
    network.must("server", "failover", "mail1")
    network.await_operational_at(network.HOME)
