"""The shared store, PostgreSQL, beside what it is measured by: pgbench on the same tables, the same relay on SQLite."""

import contextlib
import pathlib
import shutil
import statistics
import subprocess
import tempfile

import accept
import million
import peers
import relay
import release
import shared
import through

SESSIONS, SIZE = 100, 4096
QUICK_ACCEPT, FULL_ACCEPT = 4000, 20000
QUICK_DRAIN, FULL_DRAIN = 3000, 20000
RUNS, DRAIN_RUNS = 5, 3
STANDBY = "standby"


def print_against(title, ours, theirs, name, goal):
    print(f"{title:<44} {ours:8.0f}/s  {name} {theirs:8.0f}/s  ratio {ours / theirs:.2f}  (goal {goal})", flush=True)


def accept_medians(peer, rows, count):
    """Messages a second of both, which take turns."""
    rates = {peer.name: [], rows.name: []}
    for _ in range(RUNS):
        rates[peer.name].append(count / accept.send(peer, SESSIONS, count, SIZE))
        peer.empty()
        rates[rows.name].append(rows.rate(count, SIZE))
        rows.empty()
    return statistics.median(rates[peer.name]), statistics.median(rates[rows.name])


def print_accept(folder, primary, full):
    count = FULL_ACCEPT if full else QUICK_ACCEPT
    rows = shared.Rows(folder / "rows", primary)
    peer = shared.relay_on(primary)(folder / "accept")
    with contextlib.ExitStack() as ends:
        rows.start()
        peer.start()
        ends.callback(peer.stop)
        print(f"{count} messages of {SIZE} bytes, {SESSIONS} sessions; pgbench: {shared.CLIENTS} clients; medians of {RUNS} "
              "alternating runs")
        print_against("durable accept", *accept_medians(peer, rows, count), "pgbench", 0.5)
        standby = shared.Cluster(folder, STANDBY).create_standby(primary).start()
        ends.callback(primary.forget_standby)
        ends.callback(standby.stop)
        ends.callback(primary.require_standby)
        primary.require_standby(STANDBY)
        primary.await_standby(STANDBY)
        print_against("durable accept, synchronous standby", *accept_medians(peer, rows, count), "pgbench", "none")


def print_drain(folder, primary, full):
    count = FULL_DRAIN if full else QUICK_DRAIN
    kinds = (shared.relay_on(primary), peers.Holdfast)
    medians = through.measure(through.drain, folder, count, DRAIN_RUNS, kinds)
    print_against(f"delivery of {count} held, {SIZE} bytes", *medians.values(), "SQLite ", 0.5)


def print_adopted(peer, primary):
    """By another owner, while the one before is not there any more."""
    peer.end()
    epoch = primary.sql(f"SELECT epoch FROM {shared.SCHEMA}.owner", "relay")
    program = release.build("tests/bench/bench_store")
    done = subprocess.run([str(program), "adopt", peer.store, "relay1", epoch, "example.test"], check=True, capture_output=True,
                          text=True)
    print(f"           adopt: {done.stdout.splitlines()[0]}", flush=True)


def main(full):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    primary = shared.Cluster(folder, "primary")
    print(f"file system: {relay.file_system(folder)}\n")
    try:
        primary.create().start()
        print_accept(folder, primary, full)
        print_drain(folder, primary, full)
        print("goals: to greet 2000 ms; re-homed, one row, 100 ms; adopted, one row, 1000 ms")
        million.print_all(folder, full, shared.relay_on(primary), lambda peer: print_adopted(peer, primary))
    finally:
        primary.stop()
        shutil.rmtree(folder, ignore_errors=True)
