"""Durability in two sites: a database in each, and what is accepted is in both."""

import pytest
from network import MANUAL, SPOOL, TwoSite

EAST, WEST = "127.1.0.54", "127.2.0.54"
PATIENCE = '"1s"'


@pytest.fixture
def databases(make_cluster):
    """East is the primary, west follows it synchronously; neither waits for our commits by itself."""
    east = make_cluster("pg_east", EAST).create().start()
    west = make_cluster("pg_west", WEST).create_standby(east).start()
    east.require_standby("pg_west")
    east.await_standby("pg_west")
    return east, west


def settings(database="postgres", degraded="refer"):
    return (('url = "sqlite:store"', f'url = "postgresql://holdfast@{EAST}:5432,{WEST}:5432/{database}"\n'
             f'        standby_timeout = {PATIENCE}  on_degraded = "{degraded}"'),
            ('site "east" { }', f'site "east" {{ databases = {{"pg_east", "{EAST}"}} }}'),
            ('site "west" { }', f'site "west" {{ databases = {{"pg_west", "{WEST}"}} }}'))


@pytest.fixture
def make_two_site(make_network):
    def make(databases, changes=(), **options):
        network = make_network(TwoSite, "two-site.conf", (*settings(**options), *changes)).start()
        network.until(lambda: durability(network) == "replicated", "copies in both sites")
        return network

    return make


def durability(network, relay="relay-east"):
    return network.relay(relay)["work"]["durability"]


def events(network, kind):
    return [event for event in network.json("events") if event["kind"] == kind]


def test_what_is_accepted_outlives_the_disk_of_its_database(make_two_site, databases, ledger):
    east, west = databases
    network = make_two_site(databases, MANUAL)
    mta = network.mta(ledger)
    mta.send(10)
    network.await_delivered(ledger)
    network.kill_server()
    assert len(mta.send_by(network.RELAY_EAST, 20)) == 20
    east.lose_disk()
    west.promote()
    network.must("site", "lost", "east", "--why", "its disk is gone")
    network.until(lambda: durability(network, "relay-west") == "local", "a survivor that knows it is alone")
    assert len(mta.send_by(network.RELAY_WEST, 5)) == 5
    network.must("server", "failover", "mail1")
    network.judge(ledger)
    assert "recorded as lost: east" in network.relay("relay-west")["work"]["durability_detail"]
    assert max(uids(network)) > 1000000, "a UID that may have been shown and lost is given to no other message"


def uids(network):
    import imaplib
    with imaplib.IMAP4(network.reading_address(), network.IMAP) as imap:
        imap.login("alice@example.test", "holdfast")
        imap.select("INBOX", readonly=True)
        return [int(uid) for uid in imap.uid("SEARCH", "ALL")[1][0].split()]


def test_without_a_standby_new_mail_is_referred_and_held_mail_goes(make_two_site, databases, ledger):
    _, west = databases
    network = make_two_site(databases, MANUAL)
    mta = network.mta(ledger)
    network.kill_server()
    assert len(mta.send_by(network.RELAY_EAST, 10)) == 10
    west.freeze()
    network.until(lambda: not mta.send_by(network.RELAY_EAST, 1) and durability(network) == "degraded",
                  "a relay that refers new mail")
    assert "does not keep up" in network.relay("relay-east")["work"]["durability_detail"]
    assert mta.attempt_by(network.RELAY_EAST).reply.startswith("451"), "it says that a later time may do"
    network.must("server", "failover", "mail1")
    network.judge(ledger)
    network.until(lambda: events(network, "durability-degraded"), "its event")
    west.thaw()
    network.until(lambda: durability(network) == "replicated", "a standby that has caught up")
    assert len(mta.send_by(network.RELAY_EAST, 5)) == 5
    network.judge(ledger)
    network.until(lambda: events(network, "durability-restored"), "its event")


def test_what_is_spooled_is_read_though_one_database_only_is_back(make_two_site, databases, ledger):
    """It is nowhere safer in the spool; mail that is new waits for copies in both sites."""
    east, west = databases
    network = make_two_site(databases, SPOOL)
    mta = network.mta(ledger)
    west.stop()
    east.kill()
    network.until(lambda: mta.send_by(network.RELAY_EAST, 5), "a relay that takes mail into its spool")
    east.start()
    network.judge(ledger)
    assert durability(network) == "degraded" and not mta.send_by(network.RELAY_EAST, 1)
    network.until(lambda: events(network, "durability-degraded"), "its event")


def test_a_site_recorded_as_lost_is_not_waited_for(make_two_site, databases, ledger):
    _, west = databases
    network = make_two_site(databases)
    mta = network.mta(ledger)
    west.stop()
    network.until(lambda: durability(network) == "degraded", "a relay without copies")
    assert not mta.send_by(network.RELAY_EAST, 1)
    network.must("site", "lost", "west")
    network.until(lambda: durability(network) == "local", "a relay that knows why")
    assert len(mta.send_by(network.RELAY_EAST, 5)) == 5
    west.start()
    network.must("site", "back", "west")
    network.until(lambda: durability(network) == "replicated", "copies in both sites again")
    assert len(mta.send_by(network.RELAY_EAST, 5)) == 5
    network.judge(ledger)


def test_degraded_mail_is_accepted_where_that_is_asked_for(make_two_site, databases, ledger):
    _, west = databases
    network = make_two_site(databases, degraded="accept")
    west.stop()
    network.until(lambda: durability(network) == "degraded", "a relay without copies")
    assert len(network.mta(ledger).send_by(network.RELAY_EAST, 5)) == 5
    network.judge(ledger)
    assert events(network, "durability-degraded")


# ---- a site that is gone, and an agent that turns it off ----

QUICK = (('site "east" {', 'timing { lease = "1s" }\nsite "east" {'),)
AGENT = """#!/bin/sh
{ cat; echo .; } >>"$0.told"
%s
"""


@pytest.fixture
def make_fenced(make_two_site, databases, scratch):
    """make_fenced(end): the network with an agent for the west that ends so, and what it was told, each call."""

    def make(end):
        agent = scratch / "agent"
        agent.write_text(AGENT % end)
        agent.chmod(0o755)
        names = f'"pg_west", "{WEST}"'
        fence = ((f"{{{names}}} }}", f'{{{names}}}  fence = "{agent}"  fence_after = "1s" }}'),)
        return make_two_site(databases, (*QUICK, *fence)), lambda: calls_of(scratch / "agent.told")

    return make


def calls_of(path):
    return path.read_text().split(".\n")[:-1] if path.exists() else []


def lose_west(network, west):
    network.kill_node("west1")
    west.kill()


def west_of(network):
    return next(site for site in network.json("site", "list") if site["name"] == "west")


def test_a_site_that_is_fenced_is_recorded_as_lost_until_it_is_back(make_fenced, databases, ledger):
    _, west = databases
    network, told = make_fenced("exit 0")
    mta = network.mta(ledger)
    lose_west(network, west)
    network.until(lambda: mta.send_by(network.RELAY_EAST, 1), "a relay that takes mail, without an operator")
    assert told() == ["action=off\nplug=west\n"]
    assert (west_of(network)["state"], west_of(network)["who"]) == ("lost", "director")
    network.until(lambda: durability(network) == "local", "a relay that knows why")
    alarms = [event["detail"] for event in events(network, "alarm") if event["subject"] == "west"]
    assert [alarm["state"] for alarm in alarms] == ["lost"] and alarms[0]["agent"].endswith("/agent")
    west.start()
    network.start_node("west1")
    network.until(lambda: durability(network) == "replicated", "copies in both sites again, without an operator")
    assert west_of(network)["state"] == "ok" and events(network, "site-back")
    assert len(mta.send_by(network.RELAY_EAST, 5)) == 5 and len(told()) == 1
    network.judge(ledger)


def test_a_site_that_cannot_be_fenced_is_left_to_an_operator(make_fenced, databases, ledger):
    _, west = databases
    network, told = make_fenced("echo no such plug >&2; exit 1")
    mta = network.mta(ledger)
    lose_west(network, west)
    network.until(lambda: [event["detail"] for event in events(network, "alarm")
                           if "no such plug" in event["detail"].get("text", "")], "an alarm that says why")
    assert len(told()) == 1 and west_of(network)["state"] == "ok"
    assert mta.attempt_by(network.RELAY_EAST).reply.startswith("451")
    network.must("site", "lost", "west", "--why", "its power is off, by hand")
    network.until(lambda: mta.send_by(network.RELAY_EAST, 1), "a relay that takes mail")
    assert len(told()) == 1 and "@" in west_of(network)["who"]
    network.judge(ledger)
