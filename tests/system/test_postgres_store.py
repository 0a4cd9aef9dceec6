"""The two-site network on a store that is PostgreSQL: what it promises, and what it says while its database is away."""

import socket
import time

import program
import pytest
import reader
import wait
from network import MANUAL, TwoSite

DATABASE = "127.1.0.54"
INOPERABLE = "messaging server changed server=mail1 state=inoperable"
RELAYS = 2
LONG_S = 6  # a server that fails for so long is replaced, by the example's configuration


@pytest.fixture
def database(make_cluster):
    return make_cluster("store", DATABASE).create().start()


@pytest.fixture
def make_two_site(make_network, database):
    """make_two_site(changes): the network of the example, on the database; started."""

    def make(changes=()):
        store = (('url = "sqlite:store"', f'url = "{database.uri()}"  durability = "local"'),)
        return make_network(TwoSite, "two-site.conf", (*store, *changes)).start()

    return make


def test_mail_is_taken_delivered_and_read(make_two_site, ledger):
    network = make_two_site()
    network.mta(ledger).send(20)
    network.judge(ledger)
    status = network.status()
    assert status["store"]["engine"] == "postgresql"
    custody_id = next(iter(ledger.attempts.values())).reply.split()[-1]
    assert network.json("trace", custody_id)


def test_a_dead_server_is_created_again_and_gets_what_waits(make_two_site, ledger):
    network = make_two_site(MANUAL)
    network.kill_server()
    assert len(network.mta(ledger).send_by(network.RELAY_EAST, 40)) == 40
    network.until(lambda: network.queued() == 40, "all of it in custody")
    network.must("server", "failover", "mail1")
    network.judge(ledger)


def test_a_database_that_is_killed_loses_nothing(make_two_site, database, ledger):
    network = make_two_site()
    mta = network.mta(ledger)
    mta.send_by(network.RELAY_EAST, 20)
    database.kill()
    refused = mta.send_by(network.RELAY_EAST, 1)
    assert not refused, "nothing is accepted that cannot be kept"
    database.start()
    network.until(lambda: mta.send_by(network.RELAY_EAST, 1), "a relay that takes mail again")
    network.judge(ledger)


def is_refused(address, port):
    try:
        socket.create_connection((address, port), wait.LIMIT_S).close()
    except ConnectionRefusedError:
        return True
    return False


def test_readers_stay_while_the_database_is_away(make_two_site, database, ledger):
    network = make_two_site()
    pid, mta = network.server_pid(), network.mta(ledger)
    with reader.imap(network.HOME, network.IMAP) as session:
        database.kill()
        for port in (network.SMTP, network.LMTP, network.SUBMISSION):
            network.until(lambda port=port: is_refused(network.HOME, port), f"port {port} that refuses")
        network.until(lambda: network.log().count(INOPERABLE) >= RELAYS, "relays that miss the server")
        missed = time.monotonic()
        network.until(lambda: is_refused(network.HOME, network.SMTP) and time.monotonic() > missed + LONG_S, "a long outage")
        assert session.noop()[0] == "OK"
        status, said = session.status("INBOX", "(MESSAGES)")
        assert status == "NO" and said[0].startswith(b"[UNAVAILABLE]"), said
        assert not is_refused(network.HOME, network.POP3)
        assert program.is_alive(pid)
        database.start()
        network.until(lambda: mta.send_by(network.HOME, 1), "an instance that takes mail again")
        assert session.status("INBOX", "(MESSAGES)") == ("OK", [b'"INBOX" (MESSAGES 1)'])
    network.judge(ledger)
    assert network.server_pid() == pid, "it waited for its store: there was no reason to put another in its place"
