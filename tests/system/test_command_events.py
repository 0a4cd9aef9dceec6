"""`events`: what happened, and each operator's act with who gave it, why, and what became of it."""

import getpass

import program


def acts(network, *where):
    return [event["detail"] for event in network.json("events", *where) if event["kind"] in ("order", "user")]


def test_acts_of_operators_are_events(two_site, ledger):
    two_site.await_operational_at(two_site.HOME)
    two_site.must("server", "fence", "mail1", "--why", "the disk smells")
    two_site.mta(ledger).send(1)
    two_site.must("queue", "hold", "--all", "--why", "wait \"a\" bit")
    two_site.must("site", "lost", "west", "--why", "flood")
    two_site.must("site", "back", "west")
    two_site.must("user", "remove", "bob@example.test")
    wrong = two_site.command("site", "lost", "north")
    assert wrong.returncode != program.DONE
    fence, *holds, lost, back, user = acts(two_site)
    [hold] = [act for act in holds if '"changed":1' in act["result"]]  # each relay had the order
    assert len(holds) == 2
    assert (fence["verb"], fence["subject"], fence["why"], fence["state"]) == ("fence", "mail1", "the disk smells", "done")
    assert (hold["verb"], hold["why"], hold["state"]) == ("queue-hold", "wait \"a\" bit", "done")
    assert (lost["verb"], lost["subject"], lost["why"]) == ("site-lost", "west", "flood")
    assert (back["verb"], user["verb"], user["subject"]) == ("site-back", "remove", "bob@example.test")
    assert 'why="wait \\"a\\" bit"' in two_site.must("events", "--limit", "1000")
    assert all(act["who"].startswith(getpass.getuser() + "@") for act in (fence, hold, lost, back, user))


def test_events_are_read_on_from_one(two_site):
    two_site.await_operational_at(two_site.HOME)
    all_of_them = two_site.json("events", "--limit", "1000")
    first, last = all_of_them[0]["id"], all_of_them[-1]["id"]
    assert {"server"} <= {event["kind"] for event in all_of_them}
    assert [event["id"] for event in two_site.json("events", "--after", first, "--limit", "1000")][:1] == [first + 1]
    assert two_site.json("events", "--after", last) == []
    assert two_site.json("events", "--limit", "1")[0]["id"] >= last
    assert " server " in two_site.must("events")
    for wrong in (["--after", "x"], ["--limit", "0"], ["now"]):
        assert two_site.command("events", *wrong).returncode == program.USAGE
