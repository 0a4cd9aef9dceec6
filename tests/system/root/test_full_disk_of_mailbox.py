"""A full disk under a messaging server's own intake: 452 4.3.1, and service again when there is room."""

import pathlib

import ledger as ledgers
import pytest
import reader
import wait
from network import TwoSite, relay_greets
from root.test_full_disk import DISK_BYTES, fill

ALICE = "alice@example.test"


@pytest.fixture
def server(make_network):
    """The network in a mount namespace of its own, where the state folder is a small file system; the folder as seen
    from outside. The mailbox, not the relays, is what is sent to."""
    network = make_network(TwoSite, "two-site.conf")
    mount = f'mount -t tmpfs -o size={2 * DISK_BYTES} tmpfs "$0" && exec "$@"'
    process = network.spawn("run", wrapper=["unshare", "--mount", "sh", "-c", mount, str(network.state_dir)])
    wait.until(lambda: relay_greets(network.HOME, network.SMTP), "a server that greets", abandon=process.poll)
    return network, pathlib.Path(f"/proc/{process.pid}/root{network.state_dir}")


def send(network, ledger, size_bytes):
    """One message; its attempt."""
    network.mta(ledger).send_by(network.HOME, 1, size_bytes=size_bytes)
    return list(ledger.attempts.values())[-1]


def test_452_and_service_again(server, ledger):
    network, folder = server
    wait.until(lambda: send(network, ledger, 2000).outcome == ledgers.ACCEPTED, "a message that is taken")
    filler = fill(folder)
    refused = wait.until(lambda: next((a for a in [send(network, ledger, 100000)] if a.outcome != ledgers.ACCEPTED),
                                      None), "a refusal")
    assert refused.reply.startswith("452 4.3.1"), refused.reply
    filler.unlink()
    wait.until(lambda: send(network, ledger, 100000).outcome == ledgers.ACCEPTED, "service again")
    ledger.judge(reader.imap_messages(network.HOME, network.IMAP, user=ALICE), ALICE)
