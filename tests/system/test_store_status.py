"""`store status` shows every part of the store, as text and as JSON, while the network runs; `status` has no complaint."""


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
