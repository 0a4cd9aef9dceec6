"""When it is undeliverable at the server, the relay gets it: DNS names the relay, MX order alone would also lead there,
a server that cannot take mail says 421 at once so that senders go on to the relay, and mail of our own parts queues there."""

import signal
import smtplib
import subprocess

import ledger as ledgers
import names
import program
import pytest
import reader
import sender
import wait
from network import MANUAL, TwoSite


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
    before = mta.addresses("example.test")
    assert before == [network.HOME, network.RELAY_EAST, network.RELAY_WEST]
    network.kill_server()
    left = 5
    for address in before:
        left -= len(mta.send_by(address, left))
    assert left == 0 and ledger.hosts() == {network.RELAY_EAST: 5}


@pytest.fixture
def failing():
    """failing(pid, calls, error): from now on each such system call of the process fails; ends when it is terminated."""
    tracers = []

    def fail(pid, calls, error):
        tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-p", str(pid), "-o", "/dev/null", "-e", f"trace={calls}", "-e",
             f"inject={calls}:error={error}"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        tracers.append(tracer)
        wait.until(lambda: is_traced(pid), "strace at its work", abandon=tracer.poll)
        return tracer

    yield fail
    for tracer in tracers:
        tracer.terminate()
        tracer.wait()


def is_traced(pid):
    with open(f"/proc/{pid}/status") as status:
        return "TracerPid:\t0\n" not in status.read()


def greeting(address, port):
    with smtplib.SMTP(timeout=sender.SMTP_LIMIT_S) as smtp:
        try:
            return smtp.connect(address, port)[0]
        except OSError as error:
            return repr(error)


def test_a_server_that_cannot_take_mail_says_421_at_once(network, ledger, failing):
    mta = network.mta(ledger)
    network.mta(ledger).send_by(network.HOME, 1)
    failing(network.server_pid(), "fdatasync,fsync", "EIO")
    assert mta.send_by(network.HOME, 1) == []
    last = list(ledger.attempts.values())[-1]
    assert last.outcome == ledgers.REFUSED and last.reply[:3] in ("451", "421"), last
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
    relay = network.pause_role("relay", "east1")
    try:
        submit(network, ledger)
        network.judge(ledger)
        assert "by relay-west.example.test" in network.imap_messages()[0].decode()
    finally:
        program.send_signal(relay, signal.SIGCONT)


def test_and_waits_there_while_the_way_to_the_server_is_blocked(network, ledger, failing):
    """The server lives, and no relay gets through to it."""
    walls = [failing(network.role_pid("relay", node), "connect", "ENETUNREACH") for node in ("east1", "west1")]
    submit(network, ledger)
    assert network.queued() == 1 and reader.imap_messages(network.HOME, network.IMAP) == []
    network.until(lambda: network.server()["state"] == "inoperable", "relays that see it")
    submit(network, ledger)
    assert network.queued() == 2
    for wall in walls:
        wall.terminate()
    network.judge(ledger)
