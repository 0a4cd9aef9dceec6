"""The lab: everything that runs in it, started, hurt, healed and ended."""

import pathlib
import signal

import certificates
import wait
from lab.database import Database
from lab.etcd import Member
from lab.halt import Halt
from lab.holdfast import DATABASE_HOST, HOSTS, NUMBERS, LabNetwork
from lab.places import NETWORK, Place, Router, address_in

SITES = tuple(NUMBERS)
STEPS = ("deciding", "fencing", "creating", "verifying", "routing")  # of a failover, by their names in the log
# Of a delivery: the role that stands still, and where (halt.py).
DELIVERY_STEPS = {
    "taken": ("relay", ("queue_body_open",)),  # nothing of it is sent
    "sending": ("relay", ("smtp_client_body",)),
    "dot": ("relay", ("delivery.c:may_end",)),  # it is to ask whether it has the right to give it
    "answered": ("relay", ("delivery.c:on_done",)),  # by 250, which nobody knows yet
    "recording": ("relay", ("sql_queue_settle",)),  # amid a transaction
    "recorded": ("relay", ("settlement.c:on_settle",)),
    "received": ("mailbox", ("mail_deliver",)),  # nothing of it is stored
    "storing": ("mailbox", ("sql_mail_deliver",)),  # amid a transaction
    "committing": ("mailbox", ("sql_mail_deliver", "pg_commit", "pg.c:wait_for")),  # it is asked for, the answer unknown
    "stored": ("mailbox", ("intake.c:on_delivered",)),  # which nobody has been told
}
ETCD_HOST = 6
THIRD, THIRD_NUMBER = "third", 3  # where etcd's third member is, which decides between two sites that do not see each other
OUTSIDE_NUMBER, OUTSIDE_HOST = 4, 2  # us, who send and read
DELAY_MS = 5  # between the sites, in each direction: 500 km apart, by light
HEAL_LIMIT_S = 240  # a database that is copied anew included


class Lab:
    """In a folder that the user postgres can pass through. As a context it is started, and ended whatever happens."""

    def __init__(self, folder, say=lambda text: None, delay_ms=DELAY_MS):
        """say: where it tells what it does. delay_ms: between the sites, in each direction."""
        self.folder, self.say, self.delay_ms = pathlib.Path(folder), say, delay_ms
        self.places, self.router = {}, None
        self.etcds, self.databases, self.holdfast = {}, {}, None
        self.lost = set()  # sites that an operator has recorded as lost
        self.frozen = None  # the site where Holdfast stands still

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.end()
            raise

    def __exit__(self, *_):
        self.end()

    # ---- life ----

    def start(self):
        self.make_places()
        authority = certificates.Authority(self.folder)
        self.start_etcds()
        self.start_databases(authority)
        self.holdfast.create(authority, self.databases.values())
        self.say("starting Holdfast on both nodes")
        for site in SITES:
            self.holdfast.start_site(site)
        self.holdfast.await_ready()
        return self

    def make_places(self):
        self.router = Router()
        for name, number in {**NUMBERS, THIRD: THIRD_NUMBER}.items():
            self.places[name] = Place(name)
            hosts = (*HOSTS, DATABASE_HOST) if name in NUMBERS else ()
            self.router.join(self.places[name], number, (*hosts, ETCD_HOST))
            self.etcds[name] = Member(self.places[name], address_in(number, ETCD_HOST), self.folder)
        self.router.join_us(OUTSIDE_NUMBER, OUTSIDE_HOST)
        if self.delay_ms > 0:
            self.router.lengthen(*SITES, self.delay_ms, self.folder / "line.log")
        for site, number in NUMBERS.items():
            self.databases[site] = Database(self.places[site], address_in(number, DATABASE_HOST), self.folder,
                                            f"{NETWORK}.0.0/16")
        self.holdfast = LabNetwork(self.folder, self.places)

    def start_etcds(self):
        self.say("starting etcd in three places")
        for etcd in self.etcds.values():
            etcd.start(self.etcds.values())
        wait.until(lambda: all(etcd.is_healthy() for etcd in self.etcds.values()), "etcd in three places")

    def start_databases(self, authority):
        """The first becomes the primary."""
        first, second = self.databases["east"], self.databases["west"]
        for one in (first, second):
            one.create(authority, self.etcds.values())
        self.say("starting PostgreSQL with Patroni in the east, then its standby in the west")
        first.start()
        first.make_database_of_holdfast()
        second.start()
        wait.until(self.is_replicated, "a synchronous standby", limit_s=HEAL_LIMIT_S, abandon=second.log_at_end)

    def end(self):
        """Everything, in no order: what is durable stays in the folder."""
        for place in self.places.values():
            place.end()
        if self.router:
            self.router.end()

    def stop(self):
        """Holdfast in order, before the end."""
        self.thaw()
        self.holdfast.stop()

    # ---- disasters ----

    def kill_site(self, site):
        """As when its power is off: its lines are silent first, then all that runs there is gone."""
        self.router.darken(site)
        self.places[site].kill()

    def declare_lost(self, site):
        """As an operator does who knows that it is off: one copy is enough from then on. Once a database takes writes."""
        self.holdfast.until(lambda: self.holdfast.must("site", "lost", site, "--why", "its power is off"),
                            f"a record that {site} is lost")
        self.lost.add(site)

    def declare_back(self):
        for site in sorted(self.lost):
            self.holdfast.until(lambda site=site: self.holdfast.must("site", "back", site), f"a record that {site} is back")
        self.lost.clear()

    def cut_link(self):
        """East and west do not see each other; the third place, and we, see both."""
        self.router.cut(*SITES)

    def lose_disk(self, site):
        """Of the site's database, which goes with it."""
        self.databases[site].lose_disk()

    def freeze(self, site):
        """Holdfast there stands still, in whatever it was doing; the database does not."""
        self.holdfast.signal_site(site, signal.SIGSTOP)
        self.frozen = site

    def freeze_leader_at(self, state):
        """mail1 dies, and Holdfast of the site whose director has brought its failover to that state stands still."""
        with self.holdfast.follow_log() as lines:
            self.holdfast.kill_server()
            self.freeze(self.holdfast.site_of_mover(lines, state))

    def freeze_delivery_at(self, step):
        """Where mail1 runs, a delivery to it comes to that step, and all of Holdfast there stands still. Mail must be on its way."""
        role, functions = DELIVERY_STEPS[step]
        server = self.holdfast.server()
        with Halt(self.holdfast.role_pid(role, server["node"]), functions, self.folder / "halt.log") as halt:
            halt.await_stop()
            self.freeze(server["site"])

    def thaw(self):
        for site in SITES:
            self.holdfast.signal_site(site, signal.SIGCONT)
        self.frozen = None

    def heal(self):
        """All lines, machines and disks are there again, and what had ended is started. Returns at once."""
        self.router.mend()
        self.thaw()
        for etcd in self.etcds.values():
            if not etcd.runs():
                etcd.start(self.etcds.values())
        for one in self.databases.values():
            if not one.runs():
                one.start()
        for site in SITES:
            if not self.holdfast.runs(site):
                self.holdfast.start_site(site)

    def go_home(self):
        """The east's database takes writes, and mail1 is there, as in the beginning. All must be healed."""
        if self.primary() != "east":
            self.databases["west"].hand_over(self.databases["east"])
            self.await_healed()
        if self.holdfast.server()["site"] != "east":
            self.holdfast.fail_back()

    # ---- looks ----

    def primary(self):
        """The site whose database takes writes; None while none does, or while it is not known."""
        sites = [site for site in SITES if self.databases[site].takes_writes()]
        return sites[0] if len(sites) == 1 else None

    def is_replicated(self):
        """Commits wait for the other site."""
        site = self.primary()
        return site is not None and self.databases[site].has_standby(self.databases[other_than(site)].name)

    def await_primary(self, site):
        wait.until(lambda: self.primary() == site, f"the database in the {site}, taking writes", limit_s=HEAL_LIMIT_S)

    def await_healed(self):
        """Nothing is missing any more: the next disaster may come."""
        wait.until(self.is_replicated, "a synchronous standby", limit_s=HEAL_LIMIT_S)
        self.declare_back()
        self.holdfast.await_ready()
        self.holdfast.until(lambda: all(relay["work"]["durability"] == "replicated" for relay in
                                        self.holdfast.status()["relays"]), "relays that have copies in both sites")


def other_than(site):
    return SITES[1 - SITES.index(site)]
