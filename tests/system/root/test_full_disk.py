"""A full disk: 452 4.3.1, and service again when there is room."""

import ledger as ledgers
import pytest
import wait
from network import BackupMx, relay_greets
from root.full_disk import DISK_BYTES, on_a_small_disk, refuses_while_full_and_serves_again, seen_from_outside

MESSAGE_BYTES = 400000


@pytest.fixture
def make_relay(make_network):
    """A relay alone on a disk of that size, with its state folder as seen from outside."""

    def make(disk_bytes):
        network = make_network(BackupMx, "backup-mx.conf")
        process = network.spawn("relay", "--node", "relay1", wrapper=on_a_small_disk(network.state_dir, disk_bytes))
        wait.until(lambda: relay_greets(*BackupMx.RELAY), "a relay that greets", abandon=process.poll)
        return network, seen_from_outside(network.state_dir, process)

    return make


def test_the_safety_net_gives_way(make_relay, ledger, make_sink):
    """What was delivered is kept on so much of the disk that twice its size can pass through."""
    network, _ = make_relay(4 * DISK_BYTES)
    sink = make_sink()
    for _ in range(2 * 4 * DISK_BYTES // MESSAGE_BYTES):
        wait.until(lambda: network.mta(ledger).attempt_by(BackupMx.RELAY[0], MESSAGE_BYTES).outcome == ledgers.ACCEPTED,
                   "room for what is new")
    wait.until(lambda: ledger.has_all(sink.contents()), "delivery of all that was accepted")
    ledger.judge(sink.contents())


def test_452_and_service_again(make_relay, ledger, make_sink):
    network, folder = make_relay(DISK_BYTES)

    def send(size_bytes):
        return network.mta(ledger).attempt_by(BackupMx.RELAY[0], size_bytes)

    assert send(2000).outcome == ledgers.ACCEPTED
    refuses_while_full_and_serves_again(folder, send)
    sink = make_sink()
    wait.until(lambda: ledger.has_all(sink.contents()), "delivery of all that was accepted")
    ledger.judge(sink.contents())
