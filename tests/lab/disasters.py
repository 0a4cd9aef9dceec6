"""Random disasters in a row, under load: after each there is service before it is healed, and in the end readers find
exactly what was accepted."""

import itertools
import random
import time

import wait
from lab import control
from ledger import REFUSED
from lab.lab import DELIVERY_STEPS, SITES, STEPS
from lab.watch import Watch
from load import Load
from network import NOT_YET

# (name, how likely): a site that is lost costs the most time and shows the most.
KINDS = (("kill-site", 3), ("cut-link", 3), ("lose-disk", 2), ("freeze", 2), ("freeze-at", 2), ("freeze-delivery", 2))
WITH_A_SITE = ("kill-site", "lose-disk", "freeze")
# One site has no copy of what the other one takes, and nobody says that it is lost: new mail is referred.
DEGRADING = ("cut-link", "lose-disk")
SERVICE_LIMIT_S = 120
ACCEPTED_MAX = 40  # after a disaster, before it is healed
SENDERS = 1  # beside one at each relay: they are to be hurt, not to fill the machine
PAUSE_BESIDE_OTHERS_S = 0.3  # of each sender after a session, in the suite: other tests are beside
SIZES_BYTES = (600, 4096, 60000)


class Plan:
    """What comes next, of a seed alone. only: the name of the one disaster that is to come."""

    def __init__(self, seed, only=None):
        self.random = random.Random(seed)
        self.kinds = [(name, weight) for name, weight in KINDS if only in (None, name)]
        self.steps = {"freeze-at": itertools.cycle(STEPS), "freeze-delivery": itertools.cycle(DELIVERY_STEPS)}

    def next(self):
        """(the words of a disaster, how many messages are to be accepted before its healing)."""
        names, weights = zip(*self.kinds)
        name = self.random.choices(names, weights)[0]
        return self.words_of(name), self.random.randint(0, ACCEPTED_MAX)

    def words_of(self, name):
        if name in self.steps:
            return name, next(self.steps[name])  # each as often as the others
        return (name, self.random.choice(SITES)) if name in WITH_A_SITE else (name,)


class Loads:
    """Senders that ask DNS, and one at each relay, whatever DNS says. pause_s: after each session."""

    def __init__(self, network, ledger, size_bytes, pause_s=0):
        self.all = [Load(network.mta(ledger), threads, addresses, size_bytes, pause_s) for threads, addresses in (
            (SENDERS, None), (1, [network.RELAY_EAST]), (1, [network.RELAY_WEST]))]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for load in self.all:
            load.end()


class Disasters:
    """hold_s: how long each lasts at the least. pause_s: of each sender after a session."""

    def __init__(self, lab, plan, ledger, say, hold_s=0, pause_s=0):
        self.lab, self.plan, self.ledger, self.say, self.hold_s, self.pause_s = lab, plan, ledger, say, hold_s, pause_s
        self.count = 0

    def run(self, goes_on):
        """goes_on(count): whether another one is to come after so many."""
        network = self.lab.holdfast
        with Watch(self.lab), Loads(network, self.ledger, self.plan.random.choice(SIZES_BYTES), self.pause_s):
            while goes_on(self.count):
                self.one()
        network.judge(self.ledger)
        self.say(f"{self.count} disasters: {len(self.ledger.attempts)} attempts, {self.ledger.count_accepted()} accepted, "
                 "0 lost, 0 doubled")

    def referred(self):
        """What was refused for want of a copy, or of a database."""
        return [attempt for attempt in self.ledger.of(REFUSED) if attempt.reply.startswith("45")]

    def is_served(self, name):
        """Of what was held up, where it has come to."""
        return name not in self.plan.steps or self.lab.holdfast.runs_elsewhere(self.lab.frozen)

    def one(self):
        words, more = self.plan.next()
        self.count += 1
        before = self.ledger.count_accepted()
        self.say(f"{self.count}: {' '.join(words)}, until {more} more are accepted; {before} are")
        began = time.monotonic()
        control.play(self.lab, *words)
        if words[0] == "kill-site":
            self.lab.declare_lost(words[1])
        refused = len(self.referred())
        served = ((lambda: len(self.referred()) > refused) if words[0] in DEGRADING
                  else (lambda: self.ledger.count_accepted() >= before + more and self.is_served(words[0])))
        wait.until(lambda: served() and time.monotonic() >= began + self.hold_s, tolerate=NOT_YET,
                   what=f"mail that is referred, or {more} more accepted", limit_s=SERVICE_LIMIT_S + self.hold_s)
        done = time.monotonic()
        self.lab.heal()
        self.lab.await_healed()
        self.say(f"   service after {done - began:.1f} s, healed after {time.monotonic() - done:.1f} s more")
