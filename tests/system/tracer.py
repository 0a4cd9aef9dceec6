"""strace: what it injects into which thread of the program, and the proof that it did so there."""

import collections
import pathlib
import re
import subprocess

import wait

SYNCS = "fdatasync,fsync"
COMMITTER_OF_QUEUE, COMMITTER_OF_MAIL = "commit-queue", "commit-mail"  # threads' names: src/store/sqlite/file.h
MAIN_THREAD = "holdfast"
KILLED = "+++ killed by SIGKILL +++"


def strace(trace, inject, calls, *words):
    """Its command line. inject: for these calls, each of which it counts for itself, and for each thread."""
    return ["strace", "-qq", "-o", str(trace), "-e", f"trace={calls}", "-e", f"inject={calls}:{inject}", *words]


def threads_of(pid):
    """Of a process, as the kernel says: [(number, name, number of its tracer or 0)]."""
    found = []
    for task in pathlib.Path("/proc", str(pid), "task").iterdir():
        tracer = re.search(r"^TracerPid:\t(\d+)$", (task / "status").read_text(), re.MULTILINE)
        found.append((int(task.name), (task / "comm").read_text().strip(), int(tracer.group(1))))
    return found


def number_of(pid, thread):
    """Of its one thread of that name."""
    numbers = [number for number, name, _ in threads_of(pid) if name == thread]
    assert len(numbers) == 1, f"process {pid} has {len(numbers)} threads named {thread}"
    return numbers[0]


class Tracer:
    """On one thread of a process that runs, by its name, or on all, from its making on until end() or the process's
    end. also: further words for strace."""

    def __init__(self, pid, trace, inject, calls=SYNCS, thread=None, also=()):
        self.pid, self.trace, self.calls, self.thread = pid, trace, calls, thread
        whom = ["-p", str(number_of(pid, thread))] if thread else ["-f", "-p", str(pid)]
        self.process = subprocess.Popen(strace(trace, inject, calls, *whom, *also), stdin=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait.until(self.traces_whom_it_should, "strace at its work", tolerate=OSError, abandon=self.has_ended)

    def traces_whom_it_should(self):
        """That thread and no other; or all."""
        return all((tracer == self.process.pid) == (self.thread in (None, name))
                   for _, name, tracer in threads_of(self.pid))

    def has_ended(self):
        return self.process.poll() is not None and f"strace ended with {self.process.returncode}"

    def injected(self):
        """Calls that were made to fail."""
        return self.trace.read_text().count("(INJECTED)")

    def end(self):
        self.process.terminate()
        self.process.wait()

    def judge_kill(self, when):
        """Fails unless the one thread was killed in the call of that number, and so the process."""
        self.process.wait(wait.LIMIT_S)
        text = self.trace.read_text()
        made = collections.Counter(re.findall(rf"^({self.calls.replace(',', '|')})\(", text, re.MULTILINE))
        killed = re.search(rf"^(\w+)\(.*\) += \?\n{re.escape(KILLED)}\n$", text, re.MULTILINE)
        assert killed and made[killed.group(1)] == when, (
            f"no kill was injected at call {when} of {self.thread}: {dict(made)}, {text[-200:]}")


def judge_kill_from_start(trace, calls, when, thread):
    """The same of a program that strace -f -Y started: the first thread that came to that many calls is the one of that
    name. Of those that die with it strace may tell the same call again."""
    text = trace.read_text()
    made, first = collections.Counter(), None
    for one in re.findall(rf"^(\d+)<([^>]*)> +({calls.replace(',', '|')})\(", text, re.MULTILINE):
        made[one] += 1
        if made[one] == when:
            first = first or one[1]
    assert first == thread and KILLED in text, f"no kill was injected at call {when} of {thread}: {dict(made)}"
