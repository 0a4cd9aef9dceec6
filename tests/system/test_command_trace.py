"""`trace`: the lives of messages, by what an operator has of them."""

import sqlite3

import program
import pytest
from network import ALICE, BOB, BackupMx
from test_command_queue import changed, rows, waiting  # noqa: F401
from test_log import await_line


def one(network, what):
    [life] = network.json("trace", what)
    return life


def by_tag(ledger, custody_id):
    """What was sent and got this custody id."""
    [attempt] = [a for a in ledger.attempts.values() if a.reply.endswith(custody_id)]
    return attempt


def test_a_message_is_found_by_each_of_its_names(waiting, ledger):  # noqa: F811
    [row] = [r for r in waiting.json("queue", "list") if r["recipient"] == BOB]
    by_custody = one(waiting, row["id"])
    assert (by_custody["recipient"], by_custody["state"], by_custody["stored"]) == (BOB, "waiting", False)
    assert one(waiting, f"{row['queue']}:{row['delivery']}") == by_custody == one(waiting, BOB.upper())
    [header] = [line for line in by_tag(ledger, row["id"]).content.decode().splitlines() if line.startswith("Message-ID:")]
    message_id = header.split()[1]
    assert one(waiting, message_id) == one(waiting, message_id.strip("<>")) == by_custody
    assert list(rows(waiting, "--message-id", message_id)) == [row["id"]]
    assert len(waiting.json("trace", ALICE)) == 3 and len(waiting.json("trace", ALICE, "--limit", "2")) == 2
    assert "-- the newest 2" in waiting.must("trace", ALICE, "--limit", "2")
    for words in (["nobody@example.test"], ["relay-east:999"]):
        done = waiting.command("trace", *words)
        assert done.returncode == program.FAILED and "ever took such a message" in done.stderr


def test_it_tells_what_operators_did_and_what_happened(waiting, ledger):  # noqa: F811
    [row] = [r for r in waiting.json("queue", "list") if r["recipient"] == BOB]
    assert changed(waiting, "quarantine", "--recipient", BOB, "--why", "looks bad")[row["queue"]] == 1
    assert changed(waiting, "release", row["id"])[row["queue"]] == 1
    acts = one(waiting, row["id"])["acts"]
    assert [(act["act"], act["why"]) for act in acts] == [("quarantine", "looks bad"), ("release", "")]
    assert all("@" in act["who"] for act in acts)
    waiting.fail_back()
    life = waiting.until(lambda: (l := one(waiting, row["id"]))["state"] == "delivered" and l, "the delivery")
    assert life["stored"] and life["attempts"][-1]["outcome"] == "delivered"
    said = waiting.must("trace", row["id"])
    assert said.index("quarantine by") < said.index("release by") < said.index("delivered: mail1")
    assert "now delivered, and in the mail of its reader" in said


def test_mail_that_a_server_took_itself_has_a_custody_id(two_site, ledger):
    """No relay had it: in its reply, its log, its header, and in what trace tells."""
    [tag] = two_site.mta(ledger).send(1)
    assert ledger.hosts() == {two_site.HOME: 1}
    custody_id = ledger.attempts[tag].reply.split()[-1]
    assert ledger.attempts[tag].reply.endswith(f"Accepted as {custody_id}") and len(custody_id) == 26
    life = one(two_site, custody_id)
    assert (life["queue"], life["recipient"], life["state"], life["stored"]) == (None, ALICE, "stored", True)
    assert f"{custody_id} for <{ALICE}>, taken by its server itself" in two_site.must("trace", custody_id)
    assert f" id {custody_id}" in two_site.imap_messages()[0].decode()
    await_line(two_site, " mailbox@east1: stored ", f"id={custody_id}", f"recipient={ALICE}")


@pytest.fixture
def relay_alone(make_network):
    network = make_network(BackupMx, "backup-mx.conf")
    network.spawn("relay", "--node", "relay1")
    return network


def note(network, kind, subject, detail):
    with sqlite3.connect(f"{network.state_dir}/store/network.db") as db:
        db.execute("INSERT INTO event(at_ms, kind, subject, detail) VALUES(?, ?, ?, ?)", (1, kind, subject, detail))
    db.close()


def test_nothing_of_it_reaches_a_terminal_raw(relay_alone, ledger):
    """Control characters of ASCII, of UTF-8, and of eight bits: whoever wrote them; also where it should have been JSON."""
    relay_alone.until(lambda: relay_alone.mta(ledger).send_by(relay_alone.RELAY[0], 1), "a message that was taken")
    [row] = relay_alone.json("queue", "list")
    for detail in (f"no JSON of {row['id']} \x1b[2J\x9b2J", f'["{row["id"]}", "\x9b2J"]', f'{{"id": "{row["id"]}", "text": "\x7f\x9b2J"}}'):
        note(relay_alone, "odd\x9b2J", "somewhere", detail)
    for words in (("trace", row["id"]), ("trace", row["id"], "--json"), ("events",), ("events", "--json")):
        said = relay_alone.must(*words)
        assert said.count("odd") == 3 and all(c == "\n" or " " <= c <= "~" for c in said), said
    life = one(relay_alone, row["id"])
    assert [event["detail"].get("text", "").count("2J") for event in life["events"]] == [2, 1, 1]
