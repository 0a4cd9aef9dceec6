"""The safety net: what a server got can be sent again. A builtin server shows none twice; another one gets it anew."""

import signal

import program
import reader
from network import ALICE, BackupMx, TwoSite

NET = ('retry = "1s"', 'retry = "1s"  safety_net = "1h"  safety_net_max = "{max}"')


def delivered(network):
    return sum(relay["work"]["delivered"] for relay in network.status()["relays"] if relay["work"])


def kept(network):
    return sum(relay["work"]["kept"] for relay in network.status()["relays"] if relay["work"])


def external(make_network, make_sink, net="1GiB"):
    sink = make_sink()
    network = make_network(BackupMx, "backup-mx.conf", [(NET[0], NET[1].format(max=net))]).start()
    network.until(lambda: network.server()["state"] == "operational", "an operational server")
    return network, sink


def through_the_relay(network, ledger, count, size_bytes=600):
    assert network.mta(ledger).send_by(network.RELAY[0], count, size_bytes=size_bytes)


def test_a_builtin_server_shows_none_twice(two_site, ledger):
    """Neither what its reader has, nor what he expunged."""
    two_site.await_operational_at(TwoSite.HOME)
    two_site.must("server", "fence", "mail1")
    two_site.await_steered_to_relays()
    two_site.mta(ledger).send(5)
    two_site.fail_back()
    two_site.await_delivered(ledger)
    with reader.imap(TwoSite.HOME, TwoSite.IMAP) as session:
        session.store("1:2", "+FLAGS", "\\Deleted")
        session.expunge()
    two_site.until(lambda: delivered(two_site) == 5, "five deliveries that are told")
    done = two_site.json("replay", "mail1", "--since", "1h", "--why", "a test")
    assert sum(part["deliveries"] for part in done) == 5 and {part["state"] for part in done} == {"done"}
    two_site.until(lambda: delivered(two_site) == 10, "the five delivered again")
    assert two_site.queued() == 0
    assert len(two_site.imap_messages(ALICE)) == 3
    acts = [e["detail"] for e in two_site.json("events") if e["kind"] == "order" and e["detail"]["verb"] == "queue-replay"]
    assert acts and all(act["why"] == "a test" and act["state"] == "done" for act in acts)


def test_a_server_that_lost_its_mail_gets_it_again(make_network, make_sink, ledger):
    network, sink = external(make_network, make_sink)
    through_the_relay(network, ledger, 3)
    network.until(lambda: len(sink.contents()) == 3, "three messages at the server")
    network.until(lambda: kept(network) == 3, "three messages in the safety net")
    assert network.must("replay", "mail1", "--since", "10m").startswith("relay1: 3 deliveries are sent again")
    network.until(lambda: len(sink.contents()) == 6, "the same three again")
    ledger.judge(sink.contents(), doubles=list(ledger.attempts))
    network.until(lambda: kept(network) == 3 and network.queued() == 0, "all of it in the safety net again")
    nothing = network.json("replay", "mail1", "--since", "10m", "--until", "5m")
    assert [part["deliveries"] for part in nothing] == [0]


def test_the_net_is_bounded(make_network, make_sink, ledger):
    network, sink = external(make_network, make_sink, "50KiB")
    through_the_relay(network, ledger, 10, size_bytes=20_000)
    network.until(lambda: len(sink.contents()) == 10, "ten messages at the server")
    network.until(lambda: 0 < kept(network) <= 2, "two messages of ten that fit")
    [part] = network.json("replay", "mail1", "--since", "10m")
    assert part["deliveries"] <= 2


def test_a_replay_can_be_stopped_and_goes_on(make_network, make_sink, ledger):
    network, sink = external(make_network, make_sink)
    through_the_relay(network, ledger, 4)
    network.until(lambda: kept(network) == 4, "four messages in the safety net")
    network.pause_node("relay1")
    waits = network.command("replay", "mail1", "--since", "10m", "--timeout", "500ms")
    network.signal_node("relay1", signal.SIGCONT)
    assert waits.returncode != program.DONE
    hint = waits.stderr.rpartition("to go on: holdfast ")[2].split()
    assert hint[:3] == ["replay", "mail1", "--since"] and "--until" in hint, waits.stderr
    network.until(lambda: network.must(*hint) and len(sink.contents()) == 8, "each sent again")
    network.until(lambda: network.queued() == 0 and kept(network) == 4, "all delivered again")
    assert network.must(*hint).startswith("relay1: 0 deliveries")
    ledger.judge(sink.contents(), doubles=list(ledger.attempts))


def test_what_is_wrong_is_said(two_site):
    for words in ([], ["mail1"], ["mail1", "--since", "soon"], ["nobody", "--since", "1h"], ["mail1", "--since", "1h", "x"]):
        done = two_site.command("replay", *words)
        assert done.returncode == program.USAGE and "usage: holdfast replay SERVER --since TIME" in done.stderr
