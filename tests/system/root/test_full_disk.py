"""A full disk: 452 4.3.1, and service again when there is room."""

import ledger as ledgers
import pytest
import wait
from network import BackupMx, relay_greets
from root.full_disk import DISK_BYTES, on_a_small_disk, refuses_while_full_and_serves_again, seen_from_outside


@pytest.fixture
def relay(make_network):
    """A relay alone, with its state folder as seen from outside."""
    network = make_network(BackupMx, "backup-mx.conf")
    process = network.spawn("relay", "--node", "relay1", wrapper=on_a_small_disk(network.state_dir, DISK_BYTES))
    wait.until(lambda: relay_greets(*BackupMx.RELAY), "a relay that greets", abandon=process.poll)
    return network, seen_from_outside(network.state_dir, process)


def test_452_and_service_again(relay, ledger, make_sink):
    network, folder = relay

    def send(size_bytes):
        return network.mta(ledger).attempt_by(BackupMx.RELAY[0], size_bytes)

    assert send(2000).outcome == ledgers.ACCEPTED
    refuses_while_full_and_serves_again(folder, send)
    sink = make_sink()
    wait.until(lambda: ledger.has_all(sink.contents()), "delivery of all that was accepted")
    ledger.judge(sink.contents())
