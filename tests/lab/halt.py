"""Standing still at one exact place: a process gets SIGSTOP as one of its functions begins. By gdb."""

import pathlib
import subprocess

import program
import wait

LIMIT_S = 120
QUIETLY = ("set pagination off", "set auto-solib-add off", "set breakpoint pending off", "handle all nostop noprint pass")


class Halt:
    """Of one process. As a context: it is looked for from its beginning on.

    functions: of the program, as gdb names them; the process stands still at the beginning of the last one, which its
    thread that came by the others before, in their order, has come to."""

    def __init__(self, pid, functions, log):
        self.pid, self.log = pid, pathlib.Path(log)
        self.functions = functions
        self.gdb = None

    def words(self):
        first, *others = self.functions
        steps = [f"break {first}", "continue"]
        for function in others:
            steps += ["delete", f'eval "break {function} thread %d", $_thread', "continue"]
        # The signal waits for the end of gdb's own hold on the process.
        steps += ["delete", f"shell kill -STOP {self.pid}", "detach"]
        return ["gdb", "-nx", "-batch", *(word for step in QUIETLY for word in ("-iex", step)), "-p", str(self.pid),
                *(word for step in steps for word in ("-ex", step))]

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.gdb = subprocess.Popen(self.words(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait.until(lambda: "Breakpoint 1 at" in self.said(), "gdb at its work", abandon=self.has_ended)
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        """It lets go of the process."""
        self.gdb.terminate()
        try:
            self.gdb.wait(wait.LIMIT_S)
        except subprocess.TimeoutExpired:
            self.gdb.kill()
            self.gdb.wait()

    def said(self):
        return self.log.read_text(errors="replace")

    def has_ended(self):
        return self.gdb.poll() is not None and f"gdb ended: {self.said()[-500:]}"

    def await_stop(self):
        """Fails unless it stands still there."""
        wait.until(self.has_ended, f"process {self.pid} at {' -> '.join(self.functions)}", limit_s=LIMIT_S)
        assert self.said().count("hit Breakpoint") == len(self.functions), self.said()[-2000:]
        wait.until(lambda: program.state(self.pid) == "T", f"process {self.pid}, which stands still")  # each thread comes to it by itself
