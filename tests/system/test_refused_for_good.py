"""What the server refuses for good at delivery is in quarantine, told of once, and delivered when it is released."""

import sqlite3

from network import ALICE, BOB, BackupMx


def events(network):
    with sqlite3.connect(f"file:{network.state_dir}/store/network.db?mode=ro", uri=True) as db:
        return [row[0] for row in db.execute("SELECT subject FROM event WHERE kind = 'quarantined'")]


def test_one_recipient_of_two(make_network, make_sink, ledger):
    sink = make_sink()
    sink.answers["RCPT"] = lambda line: "550 5.1.1 no alice here" if ALICE in line else "250 2.1.5 ok"
    network = make_network(BackupMx, "backup-mx.conf").start()
    assert network.mta(ledger).send_by(BackupMx.RELAY[0], 1, to=[ALICE, BOB])
    [row] = network.until(lambda: [d for d in network.json("queue", "list") if d["state"] == "quarantined"],
                          "quarantine")
    assert row["recipient"] == ALICE and "550 5.1.1 no alice here" in row["last_reply"]
    network.until(lambda: [recipients for _, recipients, _ in sink.messages] == [[BOB]], "what bob gets")
    network.until(lambda: len(events(network)) == 1, "its event")
    assert row["id"] in events(network)[0]
    assert network.server()["quarantined"] == 1 and network.queued() == 0
    assert all(line.upper() != "MAIL FROM:<>" for line in sink.commands("MAIL")), "a bounce"

    del sink.answers["RCPT"]
    network.must("queue", "release", row["id"])
    network.until(lambda: [recipients for _, recipients, _ in sink.messages] == [[BOB], [ALICE]], "what alice gets")
    network.until(lambda: network.server()["quarantined"] == 0, "an empty quarantine")
    assert len(events(network)) == 1
