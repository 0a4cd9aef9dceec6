"""Durability in two sites: a database in each, and what is accepted is in both."""

import pytest
from network import MANUAL, TwoSite

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
