"""`site`: what is recorded as lost is shown as lost, until it is recorded as back; mail flows meanwhile."""

import program


def states(network):
    return {site["name"]: site["state"] for site in network.json("site", "list")}


def test_lost_and_back(two_site, ledger):
    assert states(two_site) == {"east": "ok", "west": "ok"}
    assert two_site.json("site", "lost", "east", "--why", "a test")["state"] == "done"
    assert states(two_site) == {"east": "lost", "west": "ok"}
    assert [line.split()[:2] for line in two_site.must("site", "list").splitlines()] == [["east", "lost,"], ["west", "ok"]]
    by = {site["name"]: site["who"] for site in two_site.json("site", "list")}
    assert "@" in by["east"] and by["west"] == ""
    two_site.mta(ledger).send(4)
    two_site.judge(ledger)
    assert two_site.must("site", "back", "east").strip() == "recorded as back"
    assert two_site.must("site", "back", "east").strip() == "was not recorded as lost: nothing is changed"
    assert states(two_site) == {"east": "ok", "west": "ok"}
    wrong = two_site.command("site", "lost", "north")
    assert wrong.returncode == program.USAGE and "no site of that name" in wrong.stderr
