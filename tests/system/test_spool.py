"""The shared database goes away: relays with a spool go on to take mail, and nobody decides anything until it is back."""

import contextlib
import signal
import smtplib

import ledger as ledgers
import program
import pytest
import reader
import wait
from load import Load
from names import Resolver
from network import SPOOL, TwoSite
from sender import SENDER, Session

DATABASE = "127.1.0.54"
LONG_LEASE = (("users {", 'timing { lease = "5m" }\nusers {'),)
DRAIN_LIMIT_S = 150


@pytest.fixture
def database(make_cluster):
    return make_cluster("store", DATABASE).create().start()


@pytest.fixture
def make_two_site(make_network, database):
    """make_two_site(changes): the network of the example, on the database."""

    def make(changes=()):
        place = (('url = "sqlite:store"', f'url = "{database.uri()}"  durability = "local"'),)
        return make_network(TwoSite, "two-site.conf", (*place, *changes)).start()

    return make


def spooled(ledger):
    return [a for a in ledger.of(ledgers.ACCEPTED) if a.reply.endswith(", spooled")]


def spool(network, ledger, count, relay=TwoSite.RELAY_EAST):
    """Sends until so many are in the spool of the relay."""
    mta = network.mta(ledger)
    wait.until(lambda: mta.send_by(relay, 1) and spooled(ledger), "a relay that takes mail into its spool")
    assert len(mta.send_by(relay, count)) == count
    assert len(spooled(ledger)) >= count


def events(network, kind):
    return [e for e in network.json("events", "--limit", "1000") if e["kind"] == kind]


def relay_starts(network):
    return network.log().count("relay started relay=relay-east")


def reply_to_rcpt(address, port, recipient):
    session = Session(address, port)
    try:
        session.smtp.docmd("MAIL", f"FROM:<{SENDER}>")
        return session.smtp.docmd("RCPT", f"TO:<{recipient}>")[0]
    finally:
        session.close()


def await_handed_over(network):
    network.until(lambda: network.relay("relay-east")["work"]["spool_waiting"] == 0, "a spool that is empty")
    network.until(lambda: events(network, "spool-handed-over"), "the event of it")


def test_mail_is_taken_while_the_database_is_away_and_read_once(make_two_site, database, ledger):
    network = make_two_site(SPOOL)
    assert len(network.mta(ledger).send_by(network.RELAY_EAST, 20)) == 20
    database.kill()
    spool(network, ledger, 50)
    for server in network.DNS:
        assert set(Resolver([server]).mx("example.test")) >= set(network.RELAY_HOSTS)
    done = network.command("status")
    assert done.returncode == program.TRY_AGAIN
    assert done.stdout == f"{len(spooled(ledger))} in the spool of relay-east, to be handed over to its queue when the store is back\n"
    assert reply_to_rcpt(network.RELAY_EAST, network.SMTP, "nobody@example.test") == 450
    database.start()
    network.judge(ledger, limit_s=DRAIN_LIMIT_S)
    await_handed_over(network)
    assert network.relay("relay-east")["work"]["spooled"] == len(spooled(ledger))
    assert len(events(network, "spooled")) == 1


def test_a_relay_that_is_killed_with_mail_in_its_spool_loses_none(make_two_site, database, ledger):
    network = make_two_site(SPOOL)
    database.kill()
    spool(network, ledger, 50)
    program.kill(network.role_pid("relay", "east1"))
    database.start()
    network.judge(ledger, limit_s=DRAIN_LIMIT_S)
    await_handed_over(network)


def test_a_relay_that_starts_without_the_store_takes_mail(make_two_site, database, ledger):
    """As after a loss of power, where the database is the last to be there again: for whom it knew."""
    network = make_two_site(SPOOL)
    assert network.command("user", "add", "new@example.test", stdin="a secret\n").returncode == program.DONE
    network.until(lambda: reply_to_rcpt(network.RELAY_EAST, network.SMTP, "new@example.test") == 250, "who was added")
    network.kill_everything()
    database.kill()
    before = relay_starts(network)
    network.spawn("run")
    spool(network, ledger, 50)
    for recipient, code in (("new@example.test", 250), ("nobody@example.test", 450), ("who@elsewhere.test", 550)):
        assert reply_to_rcpt(network.RELAY_EAST, network.SMTP, recipient) == code
    program.kill(network.role_pid("relay", "east1"))
    spool(network, ledger, 10)
    database.start()
    network.judge(ledger, limit_s=DRAIN_LIMIT_S)
    await_handed_over(network)
    assert relay_starts(network) == before + 2  # it has not ended by itself


def test_a_relay_with_an_empty_spool_refuses_nobody_for_good(make_network, database, ledger):
    """It has never seen the store: whom it should take mail for is not known."""
    network = make_network(TwoSite, "two-site.conf", (
        ('url = "sqlite:store"', f'url = "{database.uri()}"  durability = "local"'), *SPOOL))
    database.kill()
    network.spawn("run")

    def replies_to_alice(code):
        reply = reply_to_rcpt(network.RELAY_EAST, network.SMTP, "alice@example.test")
        assert reply in (250, 450, 451), reply
        return reply == code

    not_yet = (OSError, smtplib.SMTPException)
    wait.until(lambda: replies_to_alice(451), "a relay that waits", tolerate=not_yet)
    database.start()
    wait.until(lambda: replies_to_alice(250), "a relay that knows her", tolerate=not_yet)
    network.await_ready()
    assert len(network.mta(ledger).send_by(network.RELAY_EAST, 5)) == 5
    network.judge(ledger)
    assert relay_starts(network) == 1


def test_it_may_die_while_it_hands_over(make_two_site, database, ledger):
    network = make_two_site(SPOOL)
    database.kill()
    spool(network, ledger, 300)
    dead = network.role_pid("relay", "east1")
    database.start()
    network.until(lambda: "store reached again part=queue_relay-east" in network.log().replace('"', ""),
                  "a relay that hands over")
    with contextlib.suppress(ProcessLookupError):
        program.send_signal(dead, signal.SIGKILL)
    network.judge(ledger, limit_s=DRAIN_LIMIT_S)
    await_handed_over(network)


def test_senders_go_on_while_the_database_falls_and_returns(make_two_site, database, ledger):
    network = make_two_site(SPOOL)
    load = Load(network.mta(ledger), threads=2, addresses=[network.RELAY_EAST, network.RELAY_WEST])
    for _ in range(2):
        before = len(spooled(ledger))
        wait.until(lambda: ledger.count_accepted() > 50, "mail")
        database.kill()
        wait.until(lambda before=before: len(spooled(ledger)) > before + 30, "mail in spools")
        database.start()
        wait.until(lambda: not ledger.of(ledgers.ACCEPTED)[-1].reply.endswith(", spooled"), "mail in the store")
    load.end()
    network.judge(ledger, limit_s=DRAIN_LIMIT_S)


def test_a_spool_that_is_wanted_no_more_is_emptied(make_two_site, database, ledger):
    network = make_two_site(SPOOL)
    database.kill()
    spool(network, ledger, 10)
    network.kill_everything()
    network.config.write_text(network.config.read_text().replace('spool = "yes"', ""))
    database.start()
    network.start()
    network.judge(ledger, limit_s=DRAIN_LIMIT_S)
    await_handed_over(network)
    database.kill()
    wait.until(lambda: network.mta(ledger).attempt_by(network.RELAY_EAST).reply.startswith("451"), "a relay that refuses")


def test_a_reader_keeps_his_session(make_two_site, database, ledger):
    network = make_two_site(LONG_LEASE)
    network.mta(ledger).send(3)
    network.judge(ledger, limit_s=DRAIN_LIMIT_S)
    with reader.imap(network.HOME, network.IMAP) as session:
        database.kill()
        status, text = wait.until(lambda: says_no(session), "a server that says what it cannot do")
        assert b"[UNAVAILABLE]" in text[0]
        database.start()
        wait.until(lambda: session.fetch("1:*", "(BODY.PEEK[])")[0] == "OK", "the same session, reading")


def says_no(session):
    status, text = session.fetch("1:*", "(BODY.PEEK[])")
    return (status, text) if status == "NO" else None


def test_nobody_is_put_in_its_place_while_nothing_can_be_agreed(make_two_site, database, ledger):
    """An instance that cannot renew its lease takes no mail, and directors decide nothing."""
    network = make_two_site()
    pid = network.server_pid()
    database.kill()
    wait.until(lambda: not takes_mail(network.HOME, network.SMTP), "an instance that takes no mail")
    network.await_steered_to_relays()
    assert instances(network) == [pid], "a director has decided something"
    database.start()
    network.await_operational_at(network.HOME)
    network.mta(ledger).send(3)
    network.judge(ledger, limit_s=DRAIN_LIMIT_S)


def takes_mail(address, port):
    try:
        Session(address, port).close()
        return True
    except (OSError, smtplib.SMTPException):
        return False


def instances(network):
    return [pid for pid in program.pids_with(network.state_dir) if "mailbox" in program.command_line(pid)]
