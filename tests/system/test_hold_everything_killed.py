"""kill -9 of every process at once, at random moments under load; after the last restart every 250 is accounted for."""

import os
import random

import pytest
from load import Load

MOMENTS = 20


@pytest.mark.timeout(400)
def test_every_250_is_accounted_for(two_site, ledger):
    seed = int(os.environ.get("HOLDFAST_SEED", random.randrange(1 << 32)))
    print(f"seed: HOLDFAST_SEED={seed}")
    dice = random.Random(seed)
    load = Load(two_site.mta(ledger), threads=4)
    try:
        for _ in range(MOMENTS):
            kill_at_a_random_moment(two_site, ledger, dice)
            two_site.spawn("run")
    finally:
        load.end()
    two_site.await_ready()
    two_site.judge(ledger, limit_s=90)
    assert ledger.count_accepted() > MOMENTS


def kill_at_a_random_moment(network, ledger, dice):
    """After some more messages: sometimes the network has just begun to take mail, sometimes it is well under way."""
    goal = ledger.count_accepted() + dice.randrange(1, 60)
    network.until(lambda: ledger.count_accepted() >= goal, "more messages accepted")
    network.kill_everything()
