"""Durable accept: messages a second, 4 KiB, over kept sessions."""

import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import peers

MESSAGE_BYTES = 4096
RUN_LIMIT_S = 300

# sessions -> messages of a run: some seconds for the slowest of them
QUICK = {100: 2000, 20: 2000, 1: 500}
FULL = {100: 20000, 20: 20000, 1: 5000}
QUICK_RUNS, FULL_RUNS = 3, 5


def rate(peer, sessions, count):
    """Messages a second of one run of smtp-source."""
    argv = ["smtp-source", "-d", "-s", str(sessions), "-l", str(MESSAGE_BYTES), "-m", str(count), "-f",
            "sender@outside.test", "-t", "alice@example.test", f"{peers.ADDRESS}:{peer.port}"]
    began = time.monotonic()
    done = subprocess.run(argv, capture_output=True, text=True, timeout=RUN_LIMIT_S)
    took = time.monotonic() - began
    assert done.returncode == 0 and not done.stderr, f"{peer.name}: {done.stderr}"
    peer.empty()
    return count / took


def measure(all_peers, sessions, count, runs):
    """{name: median}; the peers take turns, so that what disturbs disturbs all."""
    rates = {peer.name: [] for peer in all_peers}
    for _ in range(runs):
        for peer in all_peers:
            rates[peer.name].append(rate(peer, sessions, count))
    return {name: statistics.median(values) for name, values in rates.items()}


def print_row(words):
    print(f"{words[0]:>9}" + "".join(f"{word:>13}" for word in words[1:]), flush=True)


def report(sessions, medians):
    ours = medians["holdfast"]
    print_row([sessions, *(f"{medians[name]:.0f}" for name in ("holdfast", "smtp-sink", "postfix")),
               f"{ours / medians['smtp-sink']:.2f}", f"{ours / medians['postfix']:.1f}"])


def main(full):
    counts, runs = (FULL, FULL_RUNS) if full else (QUICK, QUICK_RUNS)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
    folder.chmod(0o755)
    started = []
    try:
        for kind in (peers.Holdfast, peers.SmtpSink, peers.Postfix):
            peer = kind(folder / kind.name)
            started.append(peer)
            peer.start()
        print(f"relay: durable accept of {MESSAGE_BYTES} bytes, messages/s, medians of {runs} alternating runs")
        print_row(["sessions", "holdfast", "smtp-sink", "postfix", "of smtp-sink", "of postfix"])
        for sessions, count in counts.items():
            report(sessions, measure(started, sessions, count, runs))
        print("\npostconf -n\n" + started[-1].settings())
    finally:
        for peer in started:
            peer.stop()
        shutil.rmtree(folder, ignore_errors=True)
