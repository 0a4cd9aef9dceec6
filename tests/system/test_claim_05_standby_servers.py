"""When the attempts and the time are used up, the director invokes a messaging server that runs already: a builtin one,
or one of any other make. Nothing is created; what waits is re-homed and delivered there once; failback is by command."""

import pytest
import reader
import standby
from external import External
from ledger import tag_of
from network import ALICE, TwoSite

STANDBY = "127.2.0.20"
BUILTIN = ('kind = "builtin"  address = {"127.2.0.20"}  smtp_port = 2525  lmtp_port = 2424  submission_port = 2587  '
           'imap_port = 2143  pop3_port = 2110')
EXTERNAL = 'kind = "external"  protocol = "lmtp"  address = {"127.2.0.20"}  lmtp_port = 2424  imap_port = 2143'


def changes(standby_server):
    """mail2 stands by in the west, and is tried before anything is created."""
    return [("standby  = { }", 'standby  = {"mail2"}'),
            ('server "mail1" {', 'server "mail2" {\n    site = "west"  hostname = "mail2.example.test"\n'
             f'    {standby_server}\n'
             '    check { kind = "imap"  interval = "500ms"  timeout = "2s"  fall = 2  rise = 1 }\n'
             '    failover { mode = "manual" }\n}\n\nserver "mail1" {')]


def start(make_network, standby_server):
    network = make_network(TwoSite, "two-site.conf", changes(standby_server)).start()
    network.until(lambda: network.server("mail2")["state"] == "operational", "an operational standby")
    return network


def has_the_mail(network, name):
    return network.status()["routes"]["example.test"]["server"] == name


def die_and_wait_for_standby(network, ledger, die):
    """The first server's death, with mail that waits for it; nothing is created."""
    epochs = [network.server(name)["epoch"] for name in ("mail1", "mail2")]
    network.mta(ledger).send(5)
    network.until(lambda: network.queued("mail1") == 0, "delivery to the first server")
    die()
    waiting = network.mta(ledger).send_by(network.RELAY_WEST, 20)
    assert len(waiting) == 20
    network.until(lambda: has_the_mail(network, "mail2"), "the standby's turn")
    network.until(lambda: network.resolver.mx("example.test")[0] == "mail2.example.test", "DNS that names the standby")
    assert [network.server(name)["epoch"] for name in ("mail1", "mail2")] == epochs, "something was created"
    network.mta(ledger).send(5)
    network.until(lambda: network.queued("mail1") == network.queued("mail2") == 0, "empty queues")
    return waiting


def fail_back(network):
    network.must("server", "failback", "mail1")
    network.until(lambda: has_the_mail(network, "mail1"), "the first server's route")
    network.await_operational_at(network.HOME)


def test_builtin_of_a_dead_server(make_network, ledger):
    network = start(make_network, BUILTIN)
    die_and_wait_for_standby(network, ledger, network.kill_server)
    ledger.judge(reader.imap_messages(STANDBY, network.IMAP))
    ledger.judge(reader.pop3_messages(STANDBY, network.POP3))
    fail_back(network)
    network.mta(ledger).send(5)
    network.judge(ledger)


def test_builtin_of_a_dead_site(make_network, ledger):
    network = start(make_network, BUILTIN)
    die_and_wait_for_standby(network, ledger, lambda: network.kill_node("east1"))
    ledger.judge(reader.imap_messages(STANDBY, network.IMAP))
    network.start_node("east1")
    fail_back(network)
    network.mta(ledger).send(5)
    network.judge(ledger)


@pytest.fixture
def external():
    server = External(STANDBY, TwoSite.LMTP, TwoSite.IMAP).start()
    yield server
    server.stop()


def test_external_by_lmtp(make_network, external, ledger):
    """It has a store of its own: what it took stays there, and is there once."""
    network = start(make_network, EXTERNAL)
    waiting = die_and_wait_for_standby(network, ledger, network.kill_server)
    there = reader.imap_messages(STANDBY, network.IMAP)
    assert external.commands("LHLO") and set(waiting) < {tag_of(raw) for raw in there}
    assert len(there) == 25, "what waited and what came after"
    fail_back(network)
    network.mta(ledger).send(5)
    network.until(lambda: network.queued("mail1") == 0 and len(network.imap_messages()) == 10, "delivery at home")
    ledger.judge(network.imap_messages() + reader.imap_messages(STANDBY, network.IMAP), ALICE)


def test_external_first_server_takes_its_mail_back(make_network, make_sink, ledger):
    """Both are external: the first one works again, and has its mail back when an operator says so, not before."""
    network, first, other = standby.start(make_network, make_sink)
    first.stop()
    network.until(lambda: has_the_mail(network, "mail2"), "the standby's turn")
    network.mta(ledger).send(5)
    network.until(lambda: ledger.has_all(other.contents()), "delivery to the standby")
    first.start()
    network.until(lambda: network.server("mail1")["state"] == "operational", "the first server's return")
    assert has_the_mail(network, "mail2")
    network.must("server", "failback", "mail1")
    assert has_the_mail(network, "mail1")
    network.mta(ledger).send(5)
    network.until(lambda: ledger.has_all(first.contents() + other.contents()), "delivery to the first server")
    assert len(first.contents()) == 5
    ledger.judge(first.contents() + other.contents())
