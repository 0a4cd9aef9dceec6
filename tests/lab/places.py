"""Places that a router joins: each is a network namespace, with the processes in it. What is lost on the way is lost in
silence, as when a machine is off or a line is cut."""

import os
import pathlib
import signal
import subprocess
import sys

import program
import wait
from lab import delay, inside

NETWORK = "10.91"  # .PLACE.HOST
ROUTER = 254  # its host number, in each place
LINE, LINE_TABLE = "line", "100"  # a device of the router's, and the routes that lead into it
OUTSIDE_LINK = "holdfast-lab"  # of whoever looks from outside: he is the last place, and keeps his own namespace
LIMIT_S = 30


def address_in(number, host):
    return f"{NETWORK}.{number}.{host}"


def subnet_of(number):
    return f"{NETWORK}.{number}.0/24"


def must(words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout


class Place:
    """Its processes end with us."""

    def __init__(self, name):
        self.name = name
        self.keeper = subprocess.Popen(["unshare", "--net", sys.executable, inside.__file__], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, start_new_session=True)
        assert self.keeper.stdout.read(len(inside.READY)) == inside.READY, f"no network namespace for {name}"
        self.network = inside.network_of(self.keeper.pid)

    def words(self, *words):
        """What runs a command there."""
        return ["nsenter", f"--net=/proc/{self.keeper.pid}/ns/net", *words]

    def must(self, *words):
        return must(self.words(*words))

    def spawn(self, words, log, user=None, **options):
        """A process of its own group, as that user."""
        as_user = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user else []
        with open(log, "ab") as out:
            return subprocess.Popen(self.words(*as_user, *words), stdin=subprocess.DEVNULL, stdout=out,
                                    stderr=subprocess.STDOUT, start_new_session=True, cwd="/", **options)

    def pids(self, argument=None):
        """Of all its processes, or of those with this argument."""
        pids = inside.pids_inside(self.network, self.keeper.pid)
        return pids if argument is None else sorted(set(pids) & set(program.pids_with(argument)))

    def signal(self, signum, argument):
        for pid in self.pids(argument):
            program.send_signal(pid, signum)

    def kill(self, argument=None):
        """What runs there, or what has this argument, and what that has started."""
        if argument is None:
            inside.kill_inside(self.network, self.keeper.pid)
            return
        self.signal(signal.SIGSTOP, argument)  # so that it starts nothing meanwhile
        pids = {pid for first in self.pids(argument) for pid in [first, *descendants(first)]}
        for pid in pids:
            program.kill(pid)

    def end(self):
        self.keeper.stdin.close()
        self.keeper.wait()
        self.keeper.stdout.close()


def descendants(pid):
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [found for child in map(int, children) for found in [child, *descendants(child)]]


class Router:
    """A link to each place, and one to us. A rule of the kernel's routing drops what must not pass, without a word."""

    def __init__(self):
        self.place = Place("router")
        self.numbers = {}
        # What comes from the line comes from another side than its sender is on.
        self.place.must("sh", "-c", "cd /proc/sys/net/ipv4; echo 1 > ip_forward; echo 0 > conf/all/rp_filter; "
                                    "echo 0 > conf/default/rp_filter; echo 0 > conf/all/send_redirects")

    def join(self, place, number, hosts):
        """hosts: the numbers of the addresses that the place has."""
        self._link(place.name, number, "eth0", place.keeper.pid)
        for host in hosts:
            place.must("ip", "address", "add", f"{address_in(number, host)}/24", "dev", "eth0")
        place.must("ip", "link", "set", "eth0", "up")
        place.must("ip", "route", "add", "default", "via", address_in(number, ROUTER))

    def join_us(self, number, host):
        """Ends with the router."""
        self._link("outside", number, OUTSIDE_LINK, os.getpid())
        must(["ip", "address", "add", f"{address_in(number, host)}/24", "dev", OUTSIDE_LINK])
        must(["ip", "link", "set", OUTSIDE_LINK, "up"])
        must(["ip", "route", "add", f"{NETWORK}.0.0/16", "via", address_in(number, ROUTER)])

    def _link(self, name, number, far_name, pid):
        """The far end is made where it belongs: in the namespace of that process."""
        self.place.must("ip", "link", "add", name, "type", "veth", "peer", "name", far_name, "netns", f"/proc/{pid}/ns/net")
        self.place.must("ip", "address", "add", f"{address_in(number, ROUTER)}/24", "dev", name)
        self.place.must("ip", "link", "set", name, "up")
        self.numbers[name] = number

    def lengthen(self, one, other, delay_ms, log):
        """What goes between the two takes so long in each direction; before anything is dropped, whose rules come first then."""
        self.place.spawn([sys.executable, delay.__file__, LINE, str(delay_ms)], log)
        wait.until(lambda: LINE in self.place.must("ip", "-brief", "link"), "the line between the sites")
        self.place.must("ip", "link", "set", LINE, "up")
        self.place.must("ip", "route", "add", "default", "dev", LINE, "table", LINE_TABLE)
        for near, far in ((one, other), (other, one)):
            self.place.must("ip", "rule", "add", "iif", near, "to", subnet_of(self.numbers[far]), "lookup", LINE_TABLE)

    def darken(self, name):
        """Nothing passes to or from that place."""
        self._drop("iif", name)
        self._drop("to", subnet_of(self.numbers[name]))

    def cut(self, one, other):
        """Nothing passes between the two."""
        for near, far in ((one, other), (other, one)):
            self._drop("iif", near, "to", subnet_of(self.numbers[far]))

    def _drop(self, *what):
        self.place.must("ip", "rule", "add", "blackhole", *what)

    def mend(self):
        """Everything passes again."""
        for line in self.place.must("ip", "rule", "list").splitlines():
            if "blackhole" in line:
                self.place.must("ip", "rule", "delete", "priority", line.partition(":")[0])

    def end(self):
        self.place.end()
