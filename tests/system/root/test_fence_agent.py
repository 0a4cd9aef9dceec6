"""The fence agent says that an instance is off when it certainly is: not when it cannot see it."""

import os
import pathlib
import subprocess

import program
import pytest

AGENT = pathlib.Path(program.BINARY).resolve().parents[2] / "fence" / "process"


def start_time(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def namespace():
    return os.stat("/proc/self/ns/pid").st_ino


@pytest.fixture
def instance():
    process = subprocess.Popen(["sleep", "1000"])
    yield process
    process.kill()
    process.wait()


def agent(instance, *wrapper, namespace_line=True):
    lines = f"action=off\nplug={instance.pid}:{start_time(instance.pid)}\n"
    lines += f"pid_ns={namespace()}\n" if namespace_line else ""
    done = subprocess.run([*wrapper, AGENT], input=lines, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def test_in_another_pid_namespace(instance):
    status, said = agent(instance, "unshare", "--pid", "--fork", "--mount-proc")
    assert status == 1 and "not of this pid namespace" in said and instance.poll() is None


def test_with_the_proc_of_another_pid_namespace(instance):
    """The old one still mounted: its pids are not ours."""
    status, _ = agent(instance, "unshare", "--pid", "--fork")
    assert status == 1 and instance.poll() is None


def test_without_proc(instance):
    status, said = agent(instance, "unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc; exec "$0"',
                         namespace_line=False)
    assert status == 1 and "not off" in said and instance.poll() is None


def test_where_proc_hides_the_processes_of_others(instance):
    hidden = 'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$0"'
    status, said = agent(instance, "unshare", "--mount", "sh", "-c", hidden)
    assert status == 1 and "not off" in said and instance.poll() is None


def test_where_it_can_see(instance):
    assert agent(instance) == (0, "") and instance.wait() == -9
