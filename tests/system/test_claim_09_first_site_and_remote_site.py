"""Relay and first server can be in the first data centre, the other server in the second, remote one."""

import names


def test_the_first_site_is_lost_with_mail_in_its_relay_and_server(two_site, ledger):
    mta = two_site.mta(ledger)
    assert len(mta.send_by(two_site.HOME, 20)) == 20
    two_site.kill_server()
    assert len(mta.send_by(two_site.RELAY_EAST, 20)) == 20
    two_site.kill_node("east1")
    assert len(mta.send(20)) == 20, "senders are still served"
    two_site.await_operational_at(two_site.REMOTE)
    two_site.judge(ledger)
    sites = {server["site"] for server in two_site.status()["servers"]}
    assert sites == {"west"}


def test_a_lost_site_is_named_by_nobody(two_site):
    two_site.kill_node("east1")
    two_site.await_operational_at(two_site.REMOTE)
    west = names.Resolver([two_site.DNS[1]])
    two_site.until(lambda: west.mx("example.test") == [two_site.HOST, "relay-west.example.test"],
                   "an answer without the dead relay")
    assert west.a(two_site.HOST) == [two_site.REMOTE]
