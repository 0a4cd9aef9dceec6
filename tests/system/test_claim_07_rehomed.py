"""The stored messages are re-homed to the other server, and sent to it."""

import json

import standby
from network import MANUAL, TwoSite


def homes(network):
    """Of all that waits: the message's own home, or the route of its domain."""
    route = network.status()["routes"]["example.test"]["server"]
    return {row["home"] or route for row in network.json("queue", "list")}


def test_all_that_waits_goes_to_the_standby(make_network, make_sink, ledger):
    network, first, other = standby.start(make_network, make_sink)
    first.answers["MAIL"] = "451 4.3.0 not now"  # so that it waits while the server is still its home
    network.mta(ledger).send(40)
    assert network.queued("mail1") == 40 and homes(network) == {"mail1"}
    first.stop()
    network.until(lambda: ledger.has_all(other.contents()), "delivery to the standby")
    network.until(lambda: network.queued("mail1") == network.queued("mail2") == 0, "empty queues")
    ledger.judge(other.contents())
    assert first.messages == []
    custody_id = next(iter(ledger.attempts.values())).reply.split()[-1]
    assert network.json("trace", custody_id)[0]["attempts"][-1]["server"] == "mail2"


def test_an_operator_gives_messages_another_home(make_network, make_sink, ledger):
    network, first, other = standby.start(make_network, make_sink, [('mode = "automatic"', 'mode = "manual"')])
    first.stop()
    network.until(lambda: network.server("mail1")["state"] == "inoperable", "an inoperable server")
    network.mta(ledger).send(10)
    assert network.queued("mail1") == 10
    one = network.json("queue", "list")[4]
    network.must("queue", "move", one["id"], "--to", "mail2", "--why", "a trial")
    network.until(lambda: len(other.messages) == 1 and network.queued("mail1") == 9, "that one at the other server")
    [life] = network.json("trace", one["id"])
    assert life["state"] == "delivered" and (life["acts"][0]["act"], life["acts"][0]["home"]) == ("move", "mail2")
    acts = [e["detail"] for e in network.json("events") if e["kind"] == "order" and e["detail"]["verb"] == "queue-move"]
    assert [json.loads(act["result"])["changed"] for act in acts if act["subject"] == one["queue"]] == [1]
    assert all((act["why"], json.loads(act["args"])["to"]) == ("a trial", "mail2") for act in acts)
    network.must("queue", "move", "--server", "mail1", "--to", "mail2")
    network.until(lambda: ledger.has_all(other.contents()), "delivery to the other server")
    ledger.judge(other.contents())
    assert network.status()["routes"]["example.test"]["server"] == "mail1", "the domain's route is as it was"


def test_what_waits_goes_to_the_created_server(make_network, ledger):
    """An operator decides, so that all of it waits when the server is created."""
    network = make_network(TwoSite, "two-site.conf", MANUAL).start()
    old_epoch = network.server()["epoch"]
    network.kill_server()
    assert len(network.mta(ledger).send_by(network.RELAY_EAST, 40)) == 40
    network.until(lambda: network.queued() == 40, "all of it in custody")
    network.must("server", "failover", "mail1")
    network.judge(ledger)
    attempts = network.json("trace", next(iter(ledger.attempts.values())).reply.split()[-1])[0]["attempts"]
    assert attempts[-1]["outcome"] == "delivered" and attempts[-1]["epoch"] > old_epoch, attempts
