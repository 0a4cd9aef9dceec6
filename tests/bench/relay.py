"""The relay beside its peers, all on the same file system: accept, end to end, drain, a million held messages."""

import contextlib
import pathlib
import shutil
import subprocess
import tempfile

import accept
import limit
import million
import peers
import through

# (sessions, bytes) -> messages of a run: some seconds for the slowest of them
QUICK_ACCEPT = {(100, 4096): 2000, (20, 4096): 2000, (1, 4096): 500, (100, 65536): 500}
FULL_ACCEPT = {(100, 4096): 20000, (20, 4096): 20000, (1, 4096): 3000, (100, 65536): 3000}
RUNS = 5
DRAIN_RUNS = 3  # of enough messages that the probe which finds the server, twice a second, is a small part


def print_row(words):
    print(f"{words[0]:>22}" + "".join(f"{word:>11}" for word in words[1:]), flush=True)


def print_accept(folder, full):
    kinds = (peers.Holdfast, peers.SmtpSink, peers.Postfix, peers.InMemory)
    with contextlib.ExitStack() as ends:
        started = [kind(folder / kind.name) for kind in kinds]
        for peer in started:
            peer.start()
            ends.callback(peer.stop)
        print(f"durable accept, messages/s, medians of {RUNS} alternating runs (disk: a batch of as many, written and synced)")
        print_row(["sessions, bytes", *(peer.name for peer in started), "disk", "/smtp-sink", "/postfix", "/no disk", "/disk"])
        for (sessions, size), count in (FULL_ACCEPT if full else QUICK_ACCEPT).items():
            medians = accept.measure(started, sessions, count, size, RUNS)
            medians["disk"] = limit.rate(folder, sessions, size, RUNS)
            ours = medians["holdfast"]
            print_row([f"{sessions}, {size}", *(f"{value:.0f}" for value in medians.values()),
                       *(f"{ours / medians[name]:.2f}" for name in ("smtp-sink", "postfix", "no disk", "disk"))])
        print("\npostconf -n of Postfix as Debian configures it:\n" + started[2].settings())


def print_through(folder, full):
    print(f"4 KiB, {through.SESSIONS} sessions, messages/s, medians of {RUNS} alternating runs, of the drain {DRAIN_RUNS}")
    print_row(["", "holdfast", "postfix", "/postfix"])
    for figure, title, count, runs in ((through.end_to_end, "end to end", 10000 if full else 1500, RUNS),
                                       (through.drain, "drain", 20000 if full else 5000, DRAIN_RUNS)):
        medians = through.measure(figure, folder, count, runs)
        print_row([f"{title} of {count}", *(f"{value:.0f}" for value in medians.values()),
                   f"{medians['holdfast'] / medians['postfix']:.1f}"])
    print(f"first message {through.first_message(folder, RUNS) * 1000:.1f} ms after the first good probe's answer\n")


def file_system(folder):
    done = subprocess.run(["findmnt", "-no", "FSTYPE,SOURCE", "-T", folder], capture_output=True, text=True)
    return " on ".join(done.stdout.split())


def main(full):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    print(f"file system: {file_system(folder)}\n")
    try:
        print_accept(folder, full)
        print_through(folder, full)
        million.print_all(folder, full)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
