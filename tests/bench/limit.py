"""What the disk allows: a loop that writes a batch and syncs it, as a group commit does, and nothing else."""

import os
import statistics
import time

FILE_BYTES = 64 << 20  # written before, as a queue's segments are
SECONDS = 1.0
OVERHEAD_BYTES = 320  # of a record and of its Received field


def rate(folder, sessions, size, runs):
    """Messages a second, of batches of one message for each session."""
    batch = b"x" * ((size + OVERHEAD_BYTES) * sessions)
    path = folder / "raw"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        for at in range(0, FILE_BYTES, 1 << 20):
            os.pwrite(descriptor, b"0" * (1 << 20), at)
        os.fsync(descriptor)
        return statistics.median(_run(descriptor, batch, sessions) for _ in range(runs))
    finally:
        os.close(descriptor)
        path.unlink()


def _run(descriptor, batch, sessions):
    at = done = 0
    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        at = at if at + len(batch) <= FILE_BYTES else 0
        os.pwrite(descriptor, batch, at)
        os.fdatasync(descriptor)
        at += len(batch)
        done += sessions
    return done / (time.monotonic() - began)
