"""`queue`: what an operator does to messages in custody, seen by what the reader gets."""

import json

import program
import pytest
from network import ALICE, BOB, BackupMx


@pytest.fixture
def waiting(two_site, ledger):
    """Three messages for alice and one for bob wait for a server that is fenced."""
    two_site.must("server", "fence", "mail1")
    mta = two_site.mta(ledger)
    assert len(mta.send_by(two_site.RELAY_EAST, 2)) == 2
    assert len(mta.send_by(two_site.RELAY_WEST, 1)) == 1
    assert len(mta.send_by(two_site.RELAY_WEST, 1, to=[BOB])) == 1
    return two_site


def rows(network, *options):
    return {row["id"]: row for row in network.json("queue", "list", *options)}


def ids_of(network, queue, recipient=ALICE):
    return [row["id"] for row in network.json("queue", "list") if (row["queue"], row["recipient"]) == (queue, recipient)]


def changed(network, *words):
    """How many in each relay's queue."""
    return {answer["queue"]: answer["changed"] for answer in network.json("queue", *words)
            if answer["state"] == "done"}


def test_each_act_does_what_it_says(waiting, ledger):
    first, second = ids_of(waiting, "relay-east")
    [third], [bobs] = ids_of(waiting, "relay-west"), ids_of(waiting, "relay-west", BOB)
    assert {row["state"] for row in rows(waiting).values()} == {"waiting"}
    [shown] = waiting.json("queue", "show", first)
    assert (shown["id"], shown["recipient"], shown["queue"]) == (first, ALICE, "relay-east")
    assert first in waiting.must("queue", "show", first)

    assert changed(waiting, "hold", first) == {"relay-east": 1, "relay-west": 0}
    assert changed(waiting, "quarantine", third, "--why", "looks bad") == {"relay-east": 0, "relay-west": 1}
    assert changed(waiting, "remove", bobs, "--why", "asked for") == {"relay-east": 0, "relay-west": 1}
    assert {id: row["state"] for id, row in rows(waiting).items()} \
        == {first: "held", second: "waiting", third: "quarantined"}
    assert rows(waiting, "--all")[bobs]["state"] == "removed"

    waiting.fail_back()
    waiting.until(lambda: set(rows(waiting)) == {first, third}, "the delivery of what waited")
    assert len(waiting.imap_messages()) == 1 and waiting.imap_messages(BOB) == []

    assert changed(waiting, "release", "--recipient", ALICE) == {"relay-east": 1, "relay-west": 1}
    waiting.judge(ledger)
    assert waiting.imap_messages(BOB) == []  # removed: delivered to nobody
    assert changed(waiting, "release", bobs) == {"relay-east": 0, "relay-west": 0}


def test_each_act_is_an_event(waiting):
    """With who, why, and how many."""
    first = ids_of(waiting, "relay-east")[0]
    acts = [("hold", 1), ("release", 1), ("retry", 1), ("quarantine", 1), ("remove", 1), ("remove", 0)]
    for verb, count in acts:
        assert changed(waiting, verb, first, "--why", f"to {verb}")["relay-east"] == count
    told = [e["detail"] for e in waiting.json("events") if e["kind"] == "order" and e["subject"] == "relay-east"]
    told = [detail for detail in told if detail["verb"].startswith("queue-")]
    assert [(d["verb"], d["why"], d["state"], json.loads(d["result"])["changed"]) for d in told] \
        == [(f"queue-{verb}", f"to {verb}", "done", count) for verb, count in acts]
    assert all("@" in d["who"] and json.loads(d["args"])["id"] == first for d in told)


def test_a_limit_is_of_all_relays_together(waiting):
    assert changed(waiting, "hold", "--all", "--limit", "1") == {"relay-east": 1}
    assert changed(waiting, "hold", "--all", "--limit", "100") == {"relay-east": 1, "relay-west": 2}
    assert changed(waiting, "release", "--all", "--limit", "3") == {"relay-east": 2, "relay-west": 1}
    assert waiting.must("queue", "release", "--all", "--limit", "9").split("\n")[:2] == ["relay-east: 0 changed",
                                                                                       "relay-west: 1 changed"]


def test_a_program_gets_all_rows(waiting, ledger):
    """A person gets a terminal's worth, and is told so."""
    waiting.mta(ledger).send(150)
    assert len(waiting.json("queue", "list")) == 154
    assert len(waiting.json("queue", "list", "--limit", "120")) == 120
    assert waiting.json("queue", "list", "--sender", "nobody@example.test") == []
    shown = waiting.must("queue", "list").splitlines()
    assert len(shown) == 102 and shown[-1].startswith("-- the first 100; what follows: --after relay-")


def test_mail_is_named_in_many_ways(waiting):
    all_rows = waiting.json("queue", "list")
    east = [row for row in all_rows if row["queue"] == "relay-east"]
    assert list(rows(waiting, "--relay", "relay-east")) == [row["id"] for row in east]
    assert len(rows(waiting, "--domain", "Example.Test")) == 4 and rows(waiting, "--domain", "other.test") == {}
    assert rows(waiting, "--older-than", "1h") == {} and len(rows(waiting, "--newer-than", "1h")) == 4
    assert rows(waiting, "--state", "held,quarantined") == {}
    assert len(rows(waiting, "--recipient", ALICE.upper(), "--server", "mail1")) == 3
    assert rows(waiting, "--reply", "no such reply") == {}

    one = f"{east[1]['queue']}:{east[1]['delivery']}"
    assert list(rows(waiting, "--id", one)) == [east[1]["id"]]
    assert changed(waiting, "hold", one) == {"relay-east": 1}
    assert list(rows(waiting, "--state", "held")) == [east[1]["id"]]
    assert changed(waiting, "release", "--state", "held") == {"relay-east": 1, "relay-west": 0}


def test_a_list_goes_on_where_it_ended(waiting):
    """By the queue id of the last row, across the relays."""
    seen, after = [], []
    while page := waiting.json("queue", "list", "--limit", "1", *after):
        seen += page
        after = ["--after", f"{page[0]['queue']}:{page[0]['delivery']}"]
    assert seen == waiting.json("queue", "list") and len(seen) == 4
    [shown] = [line for line in waiting.must("queue", "list", "--limit", "3").splitlines() if line.startswith("--")]
    after = shown.split("--after ")[1].split(";")[0]
    assert waiting.json("queue", "list", "--after", after) == seen[3:]


def test_a_server_that_is_not_in_the_configuration_can_be_named(waiting):
    assert waiting.json("queue", "list", "--server", "gone") == []
    assert changed(waiting, "hold", "--server", "gone") == {"relay-east": 0, "relay-west": 0}


def test_retry_asks_for_an_attempt_now(make_network, make_sink, ledger):
    """A message that a server deferred is not due for a long time."""
    sink = make_sink()
    sink.answers["RCPT"] = "451 4.3.0 not now"
    network = make_network(BackupMx, "backup-mx.conf").start()
    network.until(lambda: network.server()["state"] == "operational", "a server that works")
    assert network.mta(ledger).send_by(BackupMx.RELAY[0], 1)
    [row] = network.until(lambda: [r for r in network.json("queue", "list") if r["attempts"] > 0], "an attempt")
    assert "not now" in row["last_reply"]
    before = len(sink.commands("RCPT"))
    assert changed(network, "retry", "--all") == {"relay1": 1}
    network.until(lambda: len(sink.commands("RCPT")) > before, "another attempt")
    del sink.answers["RCPT"]
    network.must("queue", "hold", row["id"])
    done = network.command("queue", "retry", row["id"])
    assert done.returncode == program.DONE and "holdfast queue release" in done.stderr
    network.must("queue", "release", row["id"])
    network.until(lambda: len(sink.messages) == 1 and network.json("queue", "list") == [], "the delivery")


def test_what_it_refuses(two_site):
    for words, said in [(("hold",), "say which"), (("show", "nothing"), "is no custody id"),
                        (("hold", "0" * 26, "--limit", "0"), "--limit"), (("move", "--all"), "--to"),
                        (("burn", "--all"), ""), (("list", "--state", "lost"), "--state is"),
                        (("list", "--older-than", "never"), "--older-than is"), (("hold", "--all", "--after", "r:1"), "--after"),
                        (("list", "--after", "nobody:1"), "--after names"), (("list", "--relay", "nobody"), "no relay"),
                        (("hold", "--relay", "relay-east"), "say which")]:
        done = two_site.command("queue", *words)
        assert done.returncode == program.USAGE and said in done.stderr, (words, done.stderr)
