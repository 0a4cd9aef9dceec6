"""A state folder on a small file system, in a mount namespace of the network's own, and what happens when it is full."""

import pathlib

import ledger as ledgers
import wait

DISK_BYTES = 24 << 20


def on_a_small_disk(state_dir, size_bytes):
    """Words to start a program with."""
    mount = f'mount -t tmpfs -o size={size_bytes} tmpfs "$0" && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, str(state_dir)]


def seen_from_outside(state_dir, process):
    return pathlib.Path(f"/proc/{process.pid}/root{state_dir}")


def fill(folder):
    """Takes all the room that is left, and returns the file that does."""
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(4096))
        except OSError:
            return filler


def refuses_while_full_and_serves_again(folder, send):
    """send(size_bytes): one message; its attempt."""
    filler = fill(folder)
    refused = wait.until(lambda: next((a for a in [send(100000)] if a.outcome != ledgers.ACCEPTED), None), "a refusal")
    assert refused.reply.startswith("452 4.3.1"), refused.reply
    filler.unlink()
    wait.until(lambda: send(100000).outcome == ledgers.ACCEPTED, "service again")
