"""When it is undeliverable at the server, the relay gets it: DNS names the relay, MX order alone would also lead there,
a server that cannot take mail says 421 at once so that senders go on to the relay, and mail of our own parts queues there."""

import signal
import smtplib

import ledger as ledgers
import names
import program
import pytest
import reader
import sender
import wait
from network import MANUAL, TwoSite
from tracer import COMMITTER_OF_MAIL


@pytest.fixture
def network(make_network):
    return make_network(TwoSite, "two-site.conf", MANUAL).start()


def test_dns_names_the_relays(network, ledger):
    network.kill_server()
    network.await_steered_to_relays()
    for ns in network.DNS:
        assert names.Resolver([ns]).mx("example.test") == network.RELAY_HOSTS
    network.mta(ledger).send(5)
    assert ledger.hosts() == {network.RELAY_EAST: 5}
    network.until(lambda: network.queued() == 5, "the messages in the relay's queue")


def test_the_order_of_the_exchangers_alone_leads_there(network, ledger):
    """A sender that still has the answer from before the death."""
    mta = network.mta(ledger)
    before = [network.HOME, network.RELAY_EAST, network.RELAY_WEST]
    network.until(lambda: mta.addresses("example.test") == before, "the server first, then the relays")
    network.kill_server()
    left = 5
    for address in before:
        left -= len(mta.send_by(address, left))
    assert left == 0 and ledger.hosts() == {network.RELAY_EAST: 5}


def greeting(address, port):
    with smtplib.SMTP(timeout=sender.SMTP_LIMIT_S) as smtp:
        try:
            return smtp.connect(address, port)[0]
        except OSError as error:
            return repr(error)


def test_a_server_that_cannot_take_mail_says_421_at_once(network, ledger, make_tracer):
    """From the message on that showed it: that one gets 451."""
    mta = network.mta(ledger)
    assert mta.send_by(network.HOME, 1)
    make_tracer(network.server_pid(), "error=EIO", thread=COMMITTER_OF_MAIL)
    first = mta.attempt_by(network.HOME)
    assert first.outcome == ledgers.REFUSED and first.sent_whole and first.reply.startswith("451 "), first
    wait.until(lambda: greeting(network.HOME, network.SMTP) == 421, "a greeting of 421")
    left = 5
    for address in (network.HOME, network.RELAY_EAST):  # as a sender does that was told so before
        left -= len(mta.send_by(address, left))
    assert left == 0 and ledger.hosts()[network.RELAY_EAST] == 5


def submit(network, ledger):
    attempt = ledger.open("bob@example.test", ["alice@example.test"])
    session = sender.Session(network.HOME, network.SUBMISSION)
    session.smtp.login("bob@example.test", "holdfast")
    session.send(attempt, sender="bob@example.test")
    session.close()
    assert attempt.outcome == ledgers.ACCEPTED, attempt.reply


def test_mail_of_our_own_parts_queues_there(network, ledger):
    """What a user submits to the server goes to a relay, also for the server's own domain."""
    submit(network, ledger)
    network.judge(ledger)
    message = network.imap_messages()[0].decode()
    assert "by relay-east.example.test" in message or "by relay-west.example.test" in message, message


def test_it_goes_to_another_relay_while_the_nearest_is_stopped(network, ledger):
    """A stopped process: its connections are made, and nobody greets."""
    relay = network.role_pid("relay", "east1")
    network.pause_role("relay", "east1")
    try:
        submit(network, ledger)
        network.judge(ledger)
        assert "by relay-west.example.test" in network.imap_messages()[0].decode()
    finally:
        program.send_signal(relay, signal.SIGCONT)


def test_and_waits_there_while_the_way_to_the_server_is_blocked(network, ledger, make_tracer):
    """The server lives, and no relay gets through to it."""
    walls = [make_tracer(network.role_pid("relay", node), "error=ENETUNREACH", "connect") for node in ("east1", "west1")]
    submit(network, ledger)
    assert network.queued() == 1 and reader.imap_messages(network.HOME, network.IMAP) == []
    network.until(lambda: network.server()["state"] == "inoperable", "relays that see it")
    submit(network, ledger)
    assert network.queued() == 2
    for wall in walls:
        wall.end()
    network.judge(ledger)
