"""`store copy`: a network that runs on the copy has all that the copied one had, in the mailbox and in the relays; a
copy in a database of PostgreSQL, too."""

import json
import shutil

import program
import wait

DATABASE = "127.1.0.54"
PAGE_BYTES = 8192  # of the databases


def copy(network, to):
    return network.command("store", "copy", to)


def test_a_network_runs_on_the_copy(make_network, two_site, ledger, scratch):
    mta = two_site.mta(ledger)
    mta.send(5)
    two_site.await_delivered(ledger)
    two_site.must("server", "fence", "mail1")
    mta.send(5, size_bytes=100_000)
    assert two_site.queued() == 5
    done = copy(two_site, scratch / "copy")
    assert done.returncode == program.DONE and "4 files copied" in done.stdout and "15 pieces" in done.stdout
    again = copy(two_site, scratch / "copy")
    assert again.returncode == program.FAILED and "copy into an empty folder" in again.stderr
    two_site.kill_everything()
    shutil.rmtree(two_site.state_dir)
    two_site.state_dir.mkdir()
    (scratch / "copy").rename(two_site.state_dir / "store")
    two_site.spawn("run")
    two_site.until(lambda: two_site.server()["state"] == "fenced", "a network that works on the copy")
    two_site.fail_back()
    two_site.judge(ledger)


def test_a_damaged_store_gives_no_copy(two_site, ledger, scratch):
    """A copy has no log beside it, which would hide what is damaged."""
    two_site.mta(ledger).send(20)
    two_site.await_delivered(ledger)
    assert copy(two_site, scratch / "first").returncode == program.DONE
    two_site.kill_everything()
    shutil.rmtree(two_site.state_dir / "store")
    (scratch / "first").rename(two_site.state_dir / "store")
    with open(two_site.state_dir / "store" / "mail.db", "r+b") as database:
        database.seek(PAGE_BYTES)
        database.write(b"\x55" * PAGE_BYTES * 3)
    done = copy(two_site, scratch / "copy")
    assert done.returncode == program.FAILED and "mail.db" in done.stderr and "integrity check" in done.stderr
    assert not list((scratch / "copy").iterdir())  # nor half of one


def move_in(network, database, **options):
    return network.command("store", "copy", database.uri(), "--json", limit_s=60, **options)


def test_a_network_moves_into_a_database(make_cluster, two_site, ledger):
    database = make_cluster("store", DATABASE).create().start()
    mta = two_site.mta(ledger)
    mta.send(5)
    two_site.await_delivered(ledger)
    two_site.must("server", "fence", "mail1")
    mta.send(5, size_bytes=100_000)
    assert two_site.queued() == 5
    refused = move_in(two_site, database)
    assert refused.returncode == program.TRY_AGAIN and "stop it on all nodes" in refused.stderr
    two_site.kill_everything()  # its relays have mail that has no rows yet, perhaps
    done = wait.until(lambda: moved(two_site, database), "leases that have run out, and the move")
    rows = {(table["part"], table["table"]): table["rows"] for table in done["tables"]}
    assert rows["network", "record"] > 0 and rows["mail", "delivered"] == 5
    assert sum(count for (part, table), count in rows.items() if part.startswith("queue ") and table == "live") == 5
    again = move_in(two_site, database)
    assert again.returncode == program.FAILED and "holds a store already" in again.stderr
    shutil.rmtree(two_site.state_dir / "store")
    config = two_site.config.read_text()
    two_site.config.write_text(config.replace('url = "sqlite:store"', f'url = "{database.uri()}"  durability = "local"'))
    two_site.spawn("run")
    two_site.until(lambda: two_site.server()["state"] == "fenced", "a network that works on the database")
    two_site.fail_back()
    two_site.judge(ledger)


def moved(network, database):
    """What it tells; None: the network may live still."""
    done = move_in(network, database)
    assert done.returncode in (program.DONE, program.TRY_AGAIN), done.stderr
    return json.loads(done.stdout) if done.returncode == program.DONE else None


def test_a_url_that_is_not_safe_is_refused(two_site):
    refused = two_site.command("store", "copy", "postgresql://holdfast@db.example.net/mail")
    assert refused.returncode == program.USAGE and "verify-full" in refused.stderr
