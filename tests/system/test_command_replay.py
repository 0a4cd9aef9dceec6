"""The safety net: what a server got can be sent again. A builtin server shows none twice; another one gets it anew."""

import json
import os
import pty
import signal
import subprocess

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
    """What is not there any more was not sent again: that is no success."""
    network, sink = external(make_network, make_sink, "50KiB")
    through_the_relay(network, ledger, 10, size_bytes=20_000)
    network.until(lambda: len(sink.contents()) == 10, "ten messages at the server")
    network.until(lambda: 0 < kept(network) <= 2, "two messages of ten that fit")
    done = network.command("replay", "mail1", "--since", "10m", "--json")
    [part] = json.loads(done.stdout)
    assert part["deliveries"] <= 2 and part["state"] == "incomplete", part
    assert done.returncode == program.FAILED and "not kept any more" in done.stderr and "to go on" not in done.stderr
    network.until(lambda: [e for e in network.json("events") if (e["kind"], e["subject"]) == ("safety-net", "relay1")],
                  "an event that tells of it")
    network.until(lambda: network.relay("relay1")["work"]["kept_after_s"] > 0, "its reach in the status")
    network.until(lambda: kept(network) <= 2 and network.queued() == 0, "the end of the deliveries")
    recent = network.command("replay", "mail1", "--since", part["let_go"])
    assert recent.returncode == program.FAILED
    assert "relay1: its safety net has let go of some or all that was delivered up to 20" in recent.stdout


def test_without_a_word_in_the_configuration_there_is_a_net(make_network, make_sink, ledger):
    sink = make_sink()
    network = make_network(BackupMx, "backup-mx.conf").start()
    network.until(lambda: network.server()["state"] == "operational", "an operational server")
    through_the_relay(network, ledger, 2)
    network.until(lambda: kept(network) == 2, "two messages in the safety net")
    assert network.must("replay", "mail1", "--since", "2d").startswith("relay1: 2 deliveries are sent again")
    network.until(lambda: len(sink.contents()) == 4, "the same two again")


def replay_events(network):
    return [e["detail"] for e in network.json("events", "--limit", "200") if e["kind"] == "order" and e["detail"]["verb"] == "queue-replay"]


def test_it_goes_in_slices(make_network, make_sink, ledger):
    """More than one, each told of in the queue, and as an event."""
    network, sink = external(make_network, make_sink)
    through_the_relay(network, ledger, 5)
    network.until(lambda: kept(network) == 5, "five messages in the safety net")
    [part] = network.json("replay", "mail1", "--since", "10m", "--slice", "2", "--why", "a lost disk")
    assert (part["state"], part["messages"], part["deliveries"]) == ("done", 5, 5)
    network.until(lambda: len(sink.contents()) == 10 and network.queued() == 0, "each sent again")
    ledger.judge(sink.contents(), doubles=list(ledger.attempts))
    events = replay_events(network)
    assert all("@" in e["who"] and (e["why"], e["state"]) == ("a lost disk", "done") for e in events)
    assert sorted(json.loads(e["result"])["all_messages"] for e in events) == [2, 4, 5]
    for life in network.json("trace", ALICE):
        [act] = life["acts"]
        assert (act["act"], act["home"], act["why"]) == ("replay", "mail1", "a lost disk") and "@" in act["who"]
        assert len(life["attempts"]) == 2
    assert "replay of what was sent to mail1 by " in network.must("trace", ALICE)


def on_a_terminal(network, *words):
    """The process, and what its terminal shows: stderr is one."""
    ours, its = pty.openpty()
    process = subprocess.Popen([program.BINARY, *words, "-c", str(network.config), "--state-dir", str(network.state_dir)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=its, start_new_session=True)
    os.close(its)
    return process, ours


def read_until(ours, text):
    shown = b""
    while text not in shown:
        shown += os.read(ours, 4096)
    return shown


def read_to_end(ours):
    shown = b""
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:  # nobody has the terminal open any more
            return shown


def test_ctrl_c_stops_it_between_slices(make_network, make_sink, ledger):
    """The bar shows how far it is; what was done by then is told, and not done again."""
    network, sink = external(make_network, make_sink)
    through_the_relay(network, ledger, 60)
    network.until(lambda: kept(network) == 60, "sixty messages in the safety net")
    process, terminal = on_a_terminal(network, "replay", "mail1", "--since", "10m", "--slice", "1", "--why", "a test")
    shown = read_until(terminal, b"] 2 of 60 messages looked at, 2 sent again")
    assert b"relay1           [                    ] 0 of 60" in shown
    process.send_signal(signal.SIGINT)
    shown = read_to_end(terminal)
    stdout, _ = process.communicate()
    os.close(terminal)
    assert process.returncode == program.FAILED and b"; stopped" in stdout
    again = int(stdout.split()[1])
    again += b"the order is being carried out, to its end" in shown  # which it does not wait for
    assert 2 <= again < 60
    told = network.until(lambda: len(e := replay_events(network)) == again and e, "an event of each slice")
    assert all("@" in e["who"] and (e["why"], e["state"]) == ("a test", "done") for e in told)
    assert max(json.loads(e["result"])["all_deliveries"] for e in told) == again
    network.until(lambda: len(sink.contents()) == 60 + again and network.queued() == 0, "those, once more")
    words = shown.decode().partition("to go on: holdfast ")[2].splitlines()[0].split()
    rest = network.must(*words)
    assert rest.startswith(f"relay1: {60 - again} deliveries are sent again"), rest
    network.until(lambda: len(sink.contents()) == 120 and network.queued() == 0, "each sent again, once")
    assert network.must(*words).startswith("relay1: 0 deliveries")
    ledger.judge(sink.contents(), doubles=list(ledger.attempts))


def test_a_queue_that_was_adopted_is_replayed(two_site, ledger):
    """Its net is where its mail is: with its new owner."""
    two_site.must("server", "fence", "mail1")
    two_site.await_steered_to_relays()
    assert len(two_site.mta(ledger).send_by(two_site.RELAY_WEST, 3)) == 3
    two_site.fail_back()
    two_site.await_delivered(ledger)
    two_site.until(lambda: kept(two_site) == 3, "three messages in the safety net")
    two_site.kill_node("west1")
    two_site.until(lambda: two_site.relay("relay-west")["queue_owner"] == "east1", "another that owns its queue")
    before = two_site.relay("relay-east")["work"]["delivered"]
    done = two_site.until(lambda: (d := two_site.command("replay", "mail1", "--since", "1h", "--timeout", "20s")).returncode
                          == program.DONE and d, "a replay")
    assert "relay-west: 3 deliveries are sent again" in done.stdout
    two_site.until(lambda: two_site.relay("relay-east")["work"]["delivered"] == before + 3, "the three, delivered again")
    two_site.judge(ledger)


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
    for words in ([], ["mail1"], ["mail1", "--since", "soon"], ["nobody", "--since", "1h"], ["mail1", "--since", "1h", "x"], ["mail1", "--since", "1h", "--slice", "1001"]):
        done = two_site.command("replay", *words)
        assert done.returncode == program.USAGE and "usage: holdfast replay SERVER --since TIME" in done.stderr
