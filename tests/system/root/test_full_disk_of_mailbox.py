"""A full disk under a messaging server's own intake: 452 4.3.1, and service again when there is room."""

import ledger as ledgers
import pytest
import reader
import wait
from network import ALICE, TwoSite, relay_greets
from root.full_disk import DISK_BYTES, on_a_small_disk, refuses_while_full_and_serves_again, seen_from_outside


@pytest.fixture
def server(make_network):
    """The network, with its state folder as seen from outside. The mailbox, not the relays, is what is sent to."""
    network = make_network(TwoSite, "two-site.conf")
    process = network.spawn("run", wrapper=on_a_small_disk(network.state_dir, 2 * DISK_BYTES))
    wait.until(lambda: relay_greets(network.HOME, network.SMTP), "a server that greets", abandon=process.poll)
    return network, seen_from_outside(network.state_dir, process)


def test_452_and_service_again(server, ledger):
    network, folder = server

    def send(size_bytes):
        return network.mta(ledger).attempt_by(network.HOME, size_bytes)

    wait.until(lambda: send(2000).outcome == ledgers.ACCEPTED, "a message that is taken")
    refuses_while_full_and_serves_again(folder, send)
    ledger.judge(reader.imap_messages(network.HOME, network.IMAP, user=ALICE), ALICE)
