"""The message is in a storage device that the relay and the other messaging server both reach."""


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


def test_every_node_sees_the_same_storage(two_site, ledger):
    two_site.kill_server()
    two_site.mta(ledger).send_by(two_site.RELAY_EAST, 4)
    two_site.mta(ledger).send_by(two_site.RELAY_WEST, 3)
    relays = {relay["name"]: relay["queue_owner"] for relay in two_site.status()["relays"]}
    assert relays == {"relay-east": "east1", "relay-west": "west1"}
    two_site.kill_node("east1")
    two_site.until(lambda: {relay["queue_owner"] for relay in two_site.status()["relays"]} == {"west1"},
                   "one node with both queues")
    two_site.judge(ledger)
