"""The message is in a storage device that the relay and the other messaging server both reach."""

from network import MANUAL, TwoSite


def custody_ids(ledger):
    return [attempt.reply.split()[-1] for attempt in ledger.attempts.values()]


def test_what_the_first_server_took_the_other_one_shows(two_site, ledger):
    """It passed no relay: only the storage can have brought it there."""
    assert len(two_site.mta(ledger).send_by(two_site.HOME, 10)) == 10
    two_site.kill_node("east1")
    two_site.await_operational_at(two_site.REMOTE)
    two_site.judge(ledger)


def test_what_a_dead_relay_took_another_one_sends(two_site, ledger):
    """The relay that answered 250 never comes back; its queue is in the storage."""
    two_site.kill_server()
    assert len(two_site.mta(ledger).send_by(two_site.RELAY_EAST, 10)) == 10
    two_site.kill_node("east1")
    two_site.await_operational_at(two_site.REMOTE)
    two_site.judge(ledger)
    life = two_site.json("trace", custody_ids(ledger)[0])
    assert [entry["queue"] for entry in life] == ["relay-east"]
    assert life[0]["attempts"][-1]["instance"].endswith("@west1")


def test_every_node_sees_the_same_storage(make_network, ledger):
    """An operator decides, so that the mail waits while its queue changes hands."""
    network = make_network(TwoSite, "two-site.conf", MANUAL).start()
    network.kill_server()
    network.mta(ledger).send_by(network.RELAY_EAST, 4)
    network.mta(ledger).send_by(network.RELAY_WEST, 3)
    network.until(lambda: queues(network) == {"relay-east": ("east1", 4), "relay-west": ("west1", 3)},
                  "what each relay took in its own queue")
    network.kill_node("east1")
    network.until(lambda: queues(network) == {"relay-east": ("west1", 4), "relay-west": ("west1", 3)},
                  "one node with both queues, and all that is in them")
    network.must("server", "failover", "mail1")
    network.judge(ledger)


def queues(network):
    """By relay: (whose its queue is, how much waits in it)."""
    return {relay["name"]: (relay["queue_owner"], relay["queued"]) for relay in network.status()["relays"]}
