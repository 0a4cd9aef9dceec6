"""What runs in a network namespace; as a program: holds one for as long as whoever started it lives, and ends all that
runs there when he is gone, however he went."""

import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import wait  # noqa: E402

READY = b"ready\n"


def network_of(pid):
    """None: there is no such process any more."""
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    except OSError:
        return None


def pids_inside(network, but):
    """All but one process."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if pid != but and network_of(pid) == network]


def kill_inside(network, but):
    """All at once, and what they started before they died."""

    def none_left():
        pids = pids_inside(network, but)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not pids

    wait.until(none_left, "the end of all that runs in a place")


def keep():
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)  # the end of the input alone counts
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.write(sys.stdout.fileno(), READY)
    sys.stdin.buffer.read()
    kill_inside(network_of("self"), os.getpid())


if __name__ == "__main__":
    keep()
