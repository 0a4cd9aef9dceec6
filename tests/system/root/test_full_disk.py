"""A full disk: 452 4.3.1, and service again when there is room."""

import pathlib

import ledger as ledgers
import pytest
import wait
from network import BackupMx, relay_greets

DISK_BYTES = 24 << 20


@pytest.fixture
def relay(make_network):
    """A relay alone, in a mount namespace of its own where its state folder is a small file system. Returns the
    network and the folder as seen from outside."""
    network = make_network(BackupMx, "backup-mx.conf")
    mount = f'mount -t tmpfs -o size={DISK_BYTES} tmpfs "$0" && exec "$@"'
    process = network.spawn("relay", "--node", "relay1",
                            wrapper=["unshare", "--mount", "sh", "-c", mount, str(network.state_dir)])
    wait.until(lambda: relay_greets(*BackupMx.RELAY), "a relay that greets", abandon=process.poll)
    return network, pathlib.Path(f"/proc/{process.pid}/root{network.state_dir}")


def send(network, ledger, size_bytes):
    """One message; its attempt."""
    network.mta(ledger).send_by(BackupMx.RELAY[0], 1, size_bytes=size_bytes)
    return list(ledger.attempts.values())[-1]


def fill(folder):
    """Takes all the room that is left, and returns the file that does."""
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(4096))
        except OSError:
            return filler


def test_452_and_service_again(relay, ledger, make_sink):
    network, folder = relay
    assert send(network, ledger, 2000).outcome == ledgers.ACCEPTED
    filler = fill(folder)
    refused = wait.until(lambda: next((a for a in [send(network, ledger, 100000)] if a.outcome != ledgers.ACCEPTED),
                                      None), "a refusal")
    assert refused.reply.startswith("452 4.3.1"), refused.reply
    filler.unlink()
    wait.until(lambda: send(network, ledger, 100000).outcome == ledgers.ACCEPTED, "service again")
    sink = make_sink()
    wait.until(lambda: ledger.has_all(sink.contents()), "delivery of all that was accepted")
    ledger.judge(sink.contents())
