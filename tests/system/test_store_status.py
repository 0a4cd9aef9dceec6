"""`store status` shows every part of the store, as text and as JSON, while the network runs; `status` has no complaint.
Of a database it shows its server too: sizes, what is dead, and how far its standbys are behind."""

import program
import pytest
from network import TwoSite

PRIMARY = "127.1.0.54"
STANDBY = "127.2.0.54"


def test_all_parts_are_shown(two_site, ledger):
    two_site.mta(ledger).send_by(two_site.RELAY_EAST, 1)
    shown = two_site.json("store", "status")
    assert shown["engine"] == "sqlite"
    assert sorted(shown["queues"]) == ["relay-east", "relay-west"]
    parts = [shown["network"], shown["mail"], *shown["queues"].values()]
    assert all(part["health"] == "ok" and part["size_bytes"] > 0 and part["schema_version"] > 0 for part in parts)
    assert all(queue["journal_segments"] > 0 and queue["journal_bytes"] > 0 for queue in shown["queues"].values())
    text = two_site.must("store", "status")
    for line in ("network ", "mail ", "queue relay-east ", "queue relay-west "):
        assert any(row.startswith(line) and " ok " in row for row in text.splitlines()), text
    assert "cannot be read" not in two_site.must("status")


@pytest.fixture
def primary(make_cluster):
    return make_cluster("store", PRIMARY).create().start()


@pytest.fixture
def on_database(make_network, primary):
    return make_network(TwoSite, "two-site.conf", (('url = "sqlite:store"', f'url = "{primary.uri()}"  durability = "local"'),)).start()


def test_a_database_is_shown(on_database, ledger):
    on_database.mta(ledger).send_by(on_database.RELAY_EAST, 1)
    shown = on_database.json("store", "status")
    server = shown["database"]["server"]
    assert shown["engine"] == "postgresql" and server["primary"] and server["timeline"] == 1
    assert server["version"].startswith("15.") and server["size_bytes"] > 1_000_000
    parts = [shown["network"], shown["mail"], *shown["queues"].values()]
    assert all(part["health"] == "ok" and part["size_bytes"] > 0 for part in parts)
    assert sorted(shown["queues"]) == ["relay-east", "relay-west"]
    tables = {(table["part"], table["table"]) for table in shown["database"]["tables"]}
    assert ("mail", "message") in tables and ("queue_relay-east", "live") in tables
    assert shown["database"]["standbys"] == [] and shown["database"]["problems"] == []
    text = on_database.must("store", "status")
    assert "primary, timeline 1" in text and "standbys: none" in text
    assert any(row.startswith("queue relay-east ") and " ok " in row for row in text.splitlines()), text


def test_how_far_a_standby_is_behind(on_database, primary, make_cluster):
    standby = make_cluster("west", STANDBY).create_standby(primary).start()

    def told():
        return next(iter(on_database.json("store", "status")["database"]["standbys"]), None)

    streaming = on_database.until(lambda: (told() or {}).get("state") == "streaming" and told(), "a standby that follows")
    assert streaming["name"] == "west" and streaming["sync_state"] == "async"
    standby.freeze()
    on_database.until(lambda: told()["replay_behind_bytes"] > 0, "a standby that is behind")
    assert "standby west" in on_database.must("store", "status")
    standby.thaw()
    on_database.stop()
    primary.stop()
    shown = on_database.command("store", "status", limit_s=60)
    assert shown.returncode == program.TRY_AGAIN and "cannot be reached" in shown.stderr


def test_what_a_role_may_not_see_is_said(on_database, primary):
    primary.sql("CREATE ROLE plain LOGIN")
    for schema in ("network", "mail", "queue_relay-east", "queue_relay-west"):
        primary.sql(f'GRANT USAGE ON SCHEMA "{schema}" TO plain; GRANT SELECT ON ALL TABLES IN SCHEMA "{schema}" TO plain')
    config = on_database.config.read_text()
    on_database.config.write_text(config.replace("//holdfast@", "//plain@"))
    assert on_database.json("store", "status")["database"]["standbys"] is None
    assert "GRANT pg_monitor" in on_database.must("store", "status")
    primary.sql("GRANT pg_monitor TO plain")
    assert on_database.json("store", "status")["database"]["standbys"] == []


def test_a_standby_alone_is_shown(on_database, primary, make_cluster):
    """No server takes writes: what there is, is told, and that it is to be tried again."""
    make_cluster("west", STANDBY).create_standby(primary).start()
    on_database.stop()
    primary.kill()
    config = on_database.config.read_text()
    on_database.config.write_text(config.replace(PRIMARY, f"{PRIMARY}:5432,{STANDBY}", 1))
    shown = on_database.command("store", "status", limit_s=60)
    assert shown.returncode == program.TRY_AGAIN and "a standby, which takes no writes" in shown.stdout, shown.stdout
