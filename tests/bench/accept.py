"""Durable accept: messages a second over kept sessions."""

import statistics
import subprocess
import time

import peers

RUN_LIMIT_S = 600


def send(peer, sessions, count, size):
    """Seconds of one run of smtp-source."""
    argv = ["smtp-source", "-d", "-s", str(sessions), "-l", str(size), "-m", str(count), "-f",
            "sender@outside.test", "-t", "alice@example.test", f"{peers.ADDRESS}:{peer.port}"]
    began = time.monotonic()
    done = subprocess.run(argv, capture_output=True, text=True, timeout=RUN_LIMIT_S)
    took = time.monotonic() - began
    assert done.returncode == 0 and not done.stderr, f"{peer.name}: {done.stderr}"
    return took


def measure(all_peers, sessions, count, size, runs):
    """{name: median messages a second}; the peers take turns, so that what disturbs disturbs all."""
    rates = {peer.name: [] for peer in all_peers}
    for _ in range(runs):
        for peer in all_peers:
            rates[peer.name].append(count / send(peer, sessions, count, size))
            peer.empty()
    return {name: statistics.median(values) for name, values in rates.items()}
