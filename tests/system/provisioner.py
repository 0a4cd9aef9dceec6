"""Provisioners of a test's own: executables that stand before the ready one, as `process` does."""

import pathlib
import sys

import program

# What its body finds. A plan that a test has written is carried out by one `create`; all else is as ever.
HEAD = f'''#!{sys.executable}
import json, os, pathlib, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent
VERB, REQUEST = sys.argv[1], json.load(sys.stdin)


def take_plan():
    """What the test has planned for this call, or None. It is nobody else's."""
    try:
        if VERB == "create":
            os.rename(HERE / "plan", HERE / "plan-taken")
            return (HERE / "plan-taken").read_text()
    except FileNotFoundError:
        pass
    return None


def ask_ready(*wrapper, **changes):
    """What the ready provisioner answers to the same but for these changes: (exit status, stdout, stderr). A wrapper that
    outlives it does not keep us waiting."""
    argv = [*wrapper, {str(pathlib.Path(program.BINARY).resolve().parents[2] / "provision" / "process")!r}, VERB]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        asked = json.dumps({{**REQUEST, **changes}}).encode()
        status = subprocess.run(argv, input=asked, stdout=out, stderr=err, close_fds=False).returncode
        return status, *(file.seek(0) or file.read() for file in (out, err))


def answer(status, out, err=""):
    sys.stderr.write(err)
    sys.stdout.write(out)
    sys.exit(status)

'''


class Provisioner:
    """body: Python, run at each call."""

    def __init__(self, folder, body):
        folder.mkdir()
        self.folder = folder
        self.path = folder / "provisioner"
        self.path.write_text(HEAD + body)
        self.path.chmod(0o755)

    def plan(self, text):
        """For the next `create`."""
        (self.folder / "plan-next").write_text(text)
        (self.folder / "plan-next").rename(self.folder / "plan")

    def was_carried_out(self):
        return (self.folder / "plan-taken").exists()

    def at_home(self, patience="5s"):
        """A change of the two-site network: creates at mail1's own address, and has less patience there."""
        rest = 'fence = "process"  timeout = '
        return f'provisioner = "process"  {rest}"30s"', f'provisioner = "{self.path}"  {rest}"{patience}"'
