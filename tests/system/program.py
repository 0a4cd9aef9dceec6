"""The program under test, and the processes that belong to a run of it."""

import os
import pathlib
import re
import signal
import subprocess

import wait

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILT = str(ROOT / "build" / "holdfast")
BINARY = os.environ.get("HOLDFAST", BUILT)
EXAMPLES = ROOT / "examples"

DONE, FAILED, USAGE, TRY_AGAIN = 0, 1, 2, 75  # exit statuses


def holdfast(*words, config=None, state_dir=None, stdin=None, limit_s=60):
    """Runs one command to its end; words first, then -c and --state-dir."""
    argv = [BINARY, *(str(word) for word in words)]
    argv += ["-c", str(config)] if config else []
    argv += ["--state-dir", str(state_dir)] if state_dir else []
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=limit_s)


def pids_with(argument):
    """Processes that have this very argument on their command line."""
    wanted, found = os.fsencode(str(argument)), []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            words = pathlib.Path("/proc", name, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # ended meanwhile
        if wanted in words:
            found.append(int(name))
    return found


def command_line(pid):
    return [os.fsdecode(word) for word in pathlib.Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0")]


def state(pid):
    """As the kernel has it, a letter: "Z" a zombie, "T" stopped. None: there is none."""
    try:
        return pathlib.Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def is_alive(pid):
    """Not a zombie either, whose parent merely has not looked yet."""
    return state(pid) not in (None, "Z")


def peak_kib(pid):
    """The most memory that it has had."""
    status = pathlib.Path("/proc", str(pid), "status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1))


def send_signal(pid, signum):
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        pass


def kill(pid):
    """SIGKILL, and waits until it is gone."""
    send_signal(pid, signal.SIGKILL)
    wait.until(lambda: not is_alive(pid), f"the end of process {pid}")


def kill_all_with(argument):
    """Kills all at once, and what they had started before they died."""

    def none_left():
        pids = pids_with(argument)
        for pid in pids:
            send_signal(pid, signal.SIGKILL)
        return not pids

    wait.until(none_left, f"the end of all processes of {argument}")
