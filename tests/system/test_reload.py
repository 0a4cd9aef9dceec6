"""SIGHUP reloads what can be reloaded, without dropping a session; a broken file changes nothing."""

import signal
import smtplib

import names
import pytest
import wait
from network import TwoSite

ZONE, LIST = "example.test.zone", "recipients"


@pytest.fixture
def network(make_network, scratch):
    """With a list of recipients, so that there is a second file that can be broken."""
    (scratch / LIST).write_text("alice@example.test\nbob@example.test\n")
    return make_network(TwoSite, "two-site.conf",
                        [('recipients = "directory"', f'recipients = "list"  recipients_file = "{LIST}"')]).start()


def reload(network):
    """To the one that the person at the terminal started: it passes it on, from node to role."""
    network.parents[0].send_signal(signal.SIGHUP)


def log_of(network):
    return network.log_path.read_text(errors="replace")


def until_logged(network, text, times):
    wait.until(lambda: log_of(network).count(text) >= times, f"{times} times in the log: {text}")


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def rcpt(session, address):
    session.rset()
    session.mail("sender@client.example")
    return session.rcpt(address)[0]


def rcpt_anew(network, address):
    """In a session of its own: refusals in one session are counted."""
    with smtplib.SMTP(network.RELAY_EAST, network.SMTP) as session:
        session.ehlo("client.example")
        return rcpt(session, address)


def test_a_changed_zone_and_a_new_recipient_without_losing_a_session(network, scratch):
    assert names.short(network.DNS[0], "new.example.test", "A") == []
    with smtplib.SMTP(network.RELAY_EAST, network.SMTP) as session:
        session.ehlo("client.example")
        assert rcpt(session, "carol@example.test") == 550
        with (scratch / ZONE).open("a") as zone:
            zone.write("new IN A 192.0.2.7\n")
        with (scratch / LIST).open("a") as recipients:
            recipients.write("carol@example.test\n")
        change(network.config, 'ttl  = "15s"', 'ttl  = "7s"')
        reload(network)
        for ns in network.DNS:
            network.until(lambda: names.short(ns, "new.example.test", "A") == ["192.0.2.7"], "the new name")
            assert " 7 IN MX " in " ".join(names.dig(ns, "example.test", "MX").split()), "the new TTL"
        wait.until(lambda: rcpt_anew(network, "carol@example.test") == 250, "the new recipient")
        assert rcpt(session, "carol@example.test") == 250, "in the session that was open, too"


def test_the_level_of_the_log(network):
    change(network.config, 'store {', 'system { log = "error" }\nstore {')
    reload(network)
    network.until(lambda: "configuration reloaded" not in log_after_another_reload(network), "silence")


def log_after_another_reload(network):
    """What is written until a broken file was refused, which is an error."""
    before = len(log_of(network))
    text = network.config.read_text()
    network.config.write_text(text.replace("site ", "sight ", 1))
    reload(network)
    wait.until(lambda: log_of(network)[before:].count("the old one goes on") >= 6, "a refusal by each role")
    network.config.write_text(text)
    return log_of(network)[before:]


def test_a_broken_file_changes_nothing(network, scratch):
    text = network.config.read_text()
    line = 1 + next(number for number, at in enumerate(text.splitlines()) if "ttl  =" in at)
    network.config.write_text(text.replace('ttl  = "15s"', 'ttl  = "7 sheep"'))
    with smtplib.SMTP(network.RELAY_EAST, network.SMTP) as session:
        session.ehlo("client.example")
        reload(network)
        until_logged(network, f"{network.config}:{line}", 6)  # dns, relay and director of two nodes
        assert rcpt(session, "alice@example.test") == 250
    assert " 15 IN MX " in " ".join(names.dig(network.DNS[0], "example.test", "MX").split())
    network.config.write_text(text)
    assert network.server()["state"] == "operational"


def test_a_broken_zone_or_list_is_named_and_the_old_goes_on(network, scratch):
    change(network.config, 'ttl  = "15s"', 'ttl  = "7s"')
    with (scratch / ZONE).open("a") as zone:
        zone.write("new IN A 192.0.2.7\nbroken IN A 192.0.2\n")
    with (scratch / LIST).open("a") as recipients:
        recipients.write("carol@example.test\nnot an address\n")
    with smtplib.SMTP(network.RELAY_EAST, network.SMTP) as session:
        session.ehlo("client.example")
        reload(network)
        zone_lines = len((scratch / ZONE).read_text().splitlines())
        until_logged(network, f"{scratch / ZONE}:{zone_lines}", 2)
        until_logged(network, f"{scratch / LIST}:4", 2)
        assert rcpt(session, "carol@example.test") == 550
        assert rcpt(session, "bob@example.test") == 250
    assert names.short(network.DNS[0], "new.example.test", "A") == []
    assert " 15 IN MX " in " ".join(names.dig(network.DNS[0], "example.test", "MX").split())


def test_what_cannot_be_reloaded_is_said_with_its_line(network):
    change(network.config, "hostname = \"relay-east.example.test\"", "hostname = \"other.example.test\"")
    reload(network)
    until_logged(network, 'hostname changed; restart the role relay of node', 1)
    with smtplib.SMTP(network.RELAY_EAST, network.SMTP) as session:
        assert b"relay-east.example.test" in session.ehlo("client.example")[1]


def test_a_changed_list_needs_no_signal(network, scratch):
    """A broken one leaves the old one in use, and is told of once by each relay."""
    with smtplib.SMTP(network.RELAY_EAST, network.SMTP) as session:
        session.ehlo("client.example")
        (scratch / LIST).write_text("carol@example.test\nno address\n")
        until_logged(network, "recipients' list not read", times=2)
        assert [rcpt(session, "alice@example.test"), rcpt(session, "carol@example.test")] == [250, 550]
        (scratch / "new").write_text("carol@example.test\n")
        (scratch / "new").rename(scratch / LIST)
        wait.until(lambda: rcpt_anew(network, "carol@example.test") == 250, "the new list")
        assert rcpt(session, "alice@example.test") == 550
        assert log_of(network).count("recipients' list not read") == 2
