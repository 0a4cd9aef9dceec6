"""Mail for postmaster of a domain that we take mail for is taken and can be read, whoever the users are (RFC 5321 4.5.1)."""

import smtplib

from network import ALICE, TwoSite

POSTMASTER = "postmaster@example.test"
NAMED = [('server     = "mail1" ', 'server     = "mail1"  postmaster = "Alice@example.test" ')]


def send(address, port, to, tag):
    with smtplib.SMTP(address, port) as session:
        session.sendmail("sender@client.example", [to], f"Subject: {tag}\r\n\r\n")


def send_to_all(network):
    """To the relay and to the server, with and without the domain."""
    for number, (address, to) in enumerate(
            (address, to) for address in (network.RELAY_EAST, network.HOME) for to in (POSTMASTER, "Postmaster")):
        send(address, network.SMTP, to, f"number {number}")


def test_it_waits_for_a_user_of_that_name(two_site):
    send_to_all(two_site)
    two_site.until(lambda: two_site.queued() == 0, "the delivery of all")
    done = two_site.command("user", "add", POSTMASTER, stdin="holdfast\n")
    assert done.returncode == 0, done.stderr
    two_site.until(lambda: len(two_site.imap_messages(POSTMASTER)) == 4, "his mail")
    assert two_site.imap_messages(ALICE) == []


def test_the_configuration_names_him(make_network):
    network = make_network(TwoSite, "two-site.conf", NAMED).start()
    send_to_all(network)
    network.until(lambda: len(network.imap_messages(ALICE)) == 4, "all of it with alice")
