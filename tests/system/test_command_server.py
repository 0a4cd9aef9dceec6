"""`server list`, `show`, `fence` and `retire`, as an operator gives them; what they do is seen by DNS, SMTP and IMAP."""

import program
import pytest
import reader
from network import TwoSite

LISTED = {"name": "mail1", "hostname": "mail1.example.test", "kind": "builtin", "site": "east", "node": "east1",
          "address": TwoSite.HOME, "state": "operational", "epoch": 1, "queued": 0, "held": 0, "quarantined": 0}


def is_silent(address):
    try:
        reader.imap_messages(address, TwoSite.IMAP)
    except OSError:
        return True
    return False


def test_what_is_shown(two_site):
    two_site.await_operational_at(TwoSite.HOME)
    [listed], shown = two_site.json("server", "list"), two_site.json("server", "show", "mail1")
    assert LISTED.items() <= listed.items() and LISTED.items() <= shown.items()
    assert shown["pid"] == two_site.server_pid()
    assert {observer["node"] for observer in shown["observers"]} == {"east1", "west1"}
    assert two_site.must("server", "list").split() == ["mail1", "builtin", "operational", TwoSite.HOME]
    rows = dict(line.split(maxsplit=1) for line in two_site.must("server", "show", "mail1").splitlines())
    assert (rows["state"], rows["address"], rows["epoch"]) == ("operational", TwoSite.HOME, "1")
    wrong = two_site.command("server", "show", "mail9")
    assert wrong.returncode == program.USAGE and "no server of that name" in wrong.stderr


@pytest.mark.parametrize("verb, state", [("fence", "fenced"), ("retire", "retired")])
def test_it_is_off_until_failback(two_site, ledger, verb, state):
    mta = two_site.mta(ledger)
    pid = two_site.server_pid()
    answer = two_site.json("server", verb, "mail1", "--why", "a test")
    assert answer["state"] == "done" and "holdfast server failback mail1" in answer["result"]
    assert not program.is_alive(pid) and is_silent(TwoSite.HOME) and is_silent(TwoSite.REMOTE)
    two_site.await_steered_to_relays()
    mta.send(5)
    assert two_site.server()["state"] == state and two_site.queued() == 5
    assert two_site.json("server", "failback", "mail1")["state"] == "done"
    two_site.await_operational_at(TwoSite.HOME)
    two_site.judge(ledger)
