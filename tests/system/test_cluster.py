"""The rig of PostgreSQL that other tests stand on: what it is to lose is lost, what it is to keep is kept."""

import certificates
import cluster
import pytest
import wait

EAST, WEST = "127.1.0.54", "127.2.0.54"


@pytest.fixture
def pair(make_cluster):
    """A primary in the east, and the standby in the west that its commits wait for."""
    east = make_cluster("east", EAST).create().start()
    west = make_cluster("west", WEST).create_standby(east).start()
    east.require_standby("west")
    east.await_standby("west")
    east.sql("CREATE TABLE kept (n int)")
    return east, west


def test_what_was_committed_outlives_the_primary(pair):
    east, west = pair
    east.sql("INSERT INTO kept VALUES (1)")
    east.lose_disk()
    west.promote()
    west.sql("INSERT INTO kept VALUES (2)")
    assert west.sql("SELECT string_agg(n::text, ' ' ORDER BY n) FROM kept") == "1 2"


def test_nothing_is_committed_without_the_standby(pair):
    east, west = pair
    west.freeze()
    waiting = east.sql_begin("INSERT INTO kept VALUES (1)")
    wait.until(lambda: east.commits_waiting() == 1, "a commit that waits", abandon=lambda: waiting.poll() is not None)
    assert waiting.poll() is None
    west.thaw()
    assert waiting.wait(wait.LIMIT_S) == 0


def test_one_that_was_killed_starts_again(make_cluster):
    east = make_cluster("east", EAST).create().start()
    east.sql("CREATE TABLE kept AS SELECT 1 AS n")
    east.kill()
    assert not east.takes_connections()
    east.start()
    assert east.sql("SELECT n FROM kept") == "1"


def test_a_guarded_role_has_tls_and_its_password(make_cluster, scratch):
    authority, other = certificates.Authority(scratch), certificates.Authority(scratch, "other")
    east = make_cluster("east", EAST).create().start()
    east.guard("relay", "geheim", *authority.sign("east", ["db-east.example.test"]))

    def who(password, sslmode, ca=authority):
        """Whom it takes for whom."""
        return cluster.run("psql", "-XAtqw", "-c", "SELECT current_user", "-d",
                           f"postgresql://relay:{password}@db-east.example.test/postgres?hostaddr={EAST}"
                           f"&sslmode={sslmode}&sslrootcert={ca.file}").strip()

    wait.until(lambda: who("geheim", "verify-full") == "relay", "TLS", tolerate=(cluster.Failed,))
    for refused in (("falsch", "verify-full"), ("geheim", "disable"), ("geheim", "verify-full", other)):
        with pytest.raises(cluster.Failed):
            who(*refused)
