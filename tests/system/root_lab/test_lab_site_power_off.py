"""Site east is powered off under load, with the primary database, relay, server, director and DNS: the standby takes
over, the relay in the west accepts, mail1 is created there, and all that was accepted is there to read, once."""

import datetime
import time

import pytest
from lab.disasters import Loads
from lab.watch import Watch

DRAIN_LIMIT_S = 120
PAUSE_S = 0.1  # of each sender after a session: other tests are beside
MORE = 30  # messages that are accepted before, and in the west


def moves_after(network, moment):
    """{state: when mail1 came into it first} since then, by the store's clock."""
    moves = {}
    for event in network.json("events", "--limit", "1000"):
        at = datetime.datetime.fromisoformat(event["at"].replace("Z", "+00:00")).timestamp()
        if (event["kind"], event["subject"]) == ("server", "mail1") and at >= moment:
            moves.setdefault(event["detail"]["to"], at)
    return moves


@pytest.mark.timeout(600)
def test_nothing_is_lost_and_nothing_doubled(lab, lab_ledger, capsys):
    network = lab.holdfast
    with Watch(lab):
        with Loads(network, lab_ledger, 600, PAUSE_S):
            await_more(network, lab_ledger)
            off = time.time()
            lab.kill_site("east")
            lab.await_primary("west")
            database = time.time()
            lab.declare_lost("east")
            network.await_operational_at(network.REMOTE)
            await_more(network, lab_ledger)
        network.await_delivered(lab_ledger, limit_s=DRAIN_LIMIT_S)
        drained = time.time()
        network.judge(lab_ledger)
        moves = moves_after(network, off)
        lab.heal()
        lab.await_healed()
        assert len(network.mta(lab_ledger).send(10)) == 10
        network.judge(lab_ledger)
    with capsys.disabled():
        print(f"\n  site off: database {database - off:.1f} s, decision {moves['deciding'] - off:.1f} s, "
              f"creation {moves['running'] - off:.1f} s, drained {drained - off:.1f} s after it; "
              f"{len(lab_ledger.attempts)} attempts, {lab_ledger.count_accepted()} accepted, by {dict(lab_ledger.hosts())}")


def await_more(network, ledger):
    accepted = ledger.count_accepted()
    network.until(lambda: ledger.count_accepted() >= accepted + MORE, "mail that is accepted")
