"""The created server can have the same name and IP address as the old one; or it is in a second, remote data centre."""

import smtplib

import names


def banner(address, port):
    with smtplib.SMTP(timeout=10) as smtp:
        code, text = smtp.connect(address, port)
        assert code == 220
        return text.decode()


def killed_and_created_again(network, ledger, address):
    """At this address. The server before and after."""
    before = network.server()
    network.mta(ledger).send(3)
    network.kill_server()
    network.until(lambda: network.server()["epoch"] > before["epoch"], "a new instance")
    network.await_operational_at(address)
    return before, network.server()


def test_the_same_name_and_address(two_site, ledger):
    before, after = killed_and_created_again(two_site, ledger, two_site.HOME)
    assert (after["address"], after["site"]) == (before["address"], before["site"]) == (two_site.HOME, "east")
    assert banner(two_site.HOME, two_site.SMTP).split()[0] == two_site.HOST
    two_site.mta(ledger).send(3)
    two_site.judge(ledger)


def test_in_the_second_remote_data_centre(two_site, ledger):
    two_site.mta(ledger).send(3)
    two_site.kill_node("east1")
    two_site.await_operational_at(two_site.REMOTE)
    after = two_site.server()
    assert (after["address"], after["site"], after["node"]) == (two_site.REMOTE, "west", "west1")
    west = names.Resolver([two_site.DNS[1]])
    assert west.a(two_site.HOST) == [two_site.REMOTE]
    assert banner(two_site.REMOTE, two_site.SMTP).split()[0] == two_site.HOST
    two_site.mta(ledger).send(3)
    two_site.judge(ledger)


def test_again_in_the_remote_one_when_the_first_is_lost(two_site, ledger):
    """No agent is named for the west: the old instance's own node says that it is off, and its address is used again."""
    two_site.kill_node("east1")
    two_site.await_operational_at(two_site.REMOTE)
    two_site.must("site", "lost", "east")
    before, after = killed_and_created_again(two_site, ledger, two_site.REMOTE)
    assert (after["node"], after["site"]) == ("west1", "west") and after["pid"] != before["pid"]
    two_site.mta(ledger).send(3)
    two_site.judge(ledger)
