"""When it is undeliverable at the server, the relay gets it: DNS names the relay, MX order alone would also lead there,
a server that cannot take mail says 421 at once so that senders go on to the relay, and mail of our own parts queues there."""

import smtplib
import subprocess

import ledger as ledgers
import names
import pytest
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
def failing_disk():
    """failing_disk(pid): from now on each sync of the process fails."""
    tracers = []

    def fail(pid):
        tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-p", str(pid), "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e",
             "inject=fdatasync,fsync:error=EIO"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
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


def test_a_server_that_cannot_take_mail_says_421_at_once(network, ledger, failing_disk):
    mta = network.mta(ledger)
    network.mta(ledger).send_by(network.HOME, 1)
    failing_disk(network.server_pid())
    assert mta.send_by(network.HOME, 1) == []
    last = list(ledger.attempts.values())[-1]
    assert last.outcome == ledgers.REFUSED and last.reply[:3] in ("451", "421"), last
    wait.until(lambda: greeting(network.HOME, network.SMTP) == 421, "a greeting of 421")
    left = 5
    for address in (network.HOME, network.RELAY_EAST):  # as a sender does that was told so before
        left -= len(mta.send_by(address, left))
    assert left == 0 and ledger.hosts()[network.RELAY_EAST] == 5


def test_mail_of_our_own_parts_queues_there(network, ledger):
    """What a user submits to the server goes to a relay, also for the server's own domain."""
    attempt = ledger.open("bob@example.test", ["alice@example.test"])
    session = sender.Session(network.HOME, network.SUBMISSION)
    session.smtp.login("bob@example.test", "holdfast")
    session.send(attempt, sender="bob@example.test")
    session.close()
    assert attempt.outcome == ledgers.ACCEPTED, attempt.reply
    network.judge(ledger)
    message = network.imap_messages()[0].decode()
    assert "by relay-east.example.test" in message or "by relay-west.example.test" in message, message
