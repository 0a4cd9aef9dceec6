"""A message is routed to the messaging server (DNS MX, A, AAAA), and delivered there."""

import names
import pytest
from network import BackupMx


def test_every_name_server_names_the_server_first(two_site):
    for ns in two_site.DNS:
        resolver = names.Resolver([ns])
        two_site.until(lambda: resolver.mx("example.test") == [two_site.HOST, *two_site.RELAY_HOSTS],
                       "a name server that knows of both relays")
        assert resolver.a(two_site.HOST) == [two_site.HOME]
        assert names.short(ns, two_site.HOST, "AAAA") == []
        assert names.status_of(ns, two_site.HOST, "AAAA") == "NOERROR", "the name is there, only not with that type"
        assert resolver.a("relay-east.example.test") == [two_site.RELAY_EAST]
        assert resolver.a("relay-west.example.test") == [two_site.RELAY_WEST]
        assert names.short(ns, "www.example.test", "AAAA") == ["::1"], "an address of the zone's file"


def test_a_server_of_both_address_families(make_network):
    network = make_network(BackupMx, "backup-mx.conf", [
        ('hostname = "mail1.example.test"  address = {"127.0.0.1"}',
         'hostname = "mail1.example.test"  address = {"127.0.0.1", "::1"}')])
    network.start()
    [ns] = network.DNS
    assert names.short(ns, network.HOST, "A") == ["127.0.0.1"]
    assert names.short(ns, network.HOST, "AAAA") == ["::1"]


def test_what_is_sent_by_mx_is_delivered_there_and_read(two_site, ledger):
    tags = two_site.mta(ledger).send(10)
    assert len(tags) == 10
    assert ledger.hosts() == {two_site.HOME: 10}, "the exchanger named first took it"
    two_site.judge(ledger)


@pytest.mark.parametrize("relay", ["RELAY_EAST", "RELAY_WEST"])
def test_what_a_relay_gets_is_delivered_to_the_server(two_site, ledger, relay):
    mta = two_site.mta(ledger)
    assert len(mta.send_by(getattr(two_site, relay), 10)) == 10
    two_site.judge(ledger)
    message = two_site.imap_messages()[0].decode()
    custody_id = ledger.attempts[next(iter(ledger.accepted()))].reply.split()[-1]
    assert "Received: " in message
    life = two_site.json("trace", custody_id)
    assert [entry["state"] for entry in life] == ["delivered"]
    assert life[0]["attempts"][-1]["server"] == "mail1"


def test_both_users_get_what_is_theirs(two_site, ledger):
    for user in ("alice@example.test", "bob@example.test"):
        two_site.mta(ledger).send(3, to=user)
    two_site.judge(ledger, "alice@example.test")
    two_site.judge(ledger, "bob@example.test")
