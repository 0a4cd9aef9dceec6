"""A million messages in custody, accepted by the relay itself: its memory, its start, a look at the queue, and another
server for all of them."""

import datetime
import re
import statistics
import subprocess
import time

import accept
import peers
import through

QUICK, FULL = 50_000, 1_000_000
SIZE = 512
SESSIONS = 100
LOOKS = 5

STANDBY = '''failover {{ mode = "manual"  standby = {{"mail2"}} }}
}}
server "mail2" {{
    kind = "external"  protocol = "smtp"
    site = "home"  hostname = "mail2.example.test"  address = {{"{address}"}}  smtp_port = {port}
    check {{ kind = "smtp"  interval = "500ms"  timeout = "2s"  fall = 2  rise = 1 }}
    failover {{ mode = "manual" }}
'''


class Standby(peers.CountingSink):
    """A server's address is its own."""

    address = "127.0.0.2"


def with_standby(kind):
    """A class of such relays whose server is dead; another one may be invoked in its place."""

    class WithStandby(kind):
        def __init__(self, folder, server_port, standby_port):
            super().__init__(folder, server_port)
            self.changes = (('failover { mode = "manual" }\n', STANDBY.format(address=Standby.address, port=standby_port)),)

        def command(self, *words):
            """Seconds that it took."""
            began = time.monotonic()
            done = subprocess.run(self.argv(*words), capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
            return time.monotonic() - began

        def director_log(self):
            return self.folder / "director.log"

        def rehoming_ms(self):
            """By the director's log."""
            times = {state: datetime.datetime.fromisoformat(time) for time, state in
                     re.findall(r"^(\S+)Z .*server moves server=mail1 .*? to=(\w+)", self.director_log().read_text(), re.MULTILINE)}
            return (times["running"] - times["routing"]) / datetime.timedelta(milliseconds=1)

        def direct(self):
            with open(self.director_log(), "ab") as log:
                return subprocess.Popen(self.argv("director", "--node", "relay1"), stdin=subprocess.DEVNULL, stdout=log,
                                        stderr=subprocess.STDOUT)

    return WithStandby


def print_figure(value, unit, what):
    print(f"{value:10.0f} {unit:<4} {what}", flush=True)


def print_held(peer, count):
    rate = count / accept.send(peer, SESSIONS, count, SIZE)
    print_figure(rate, "/s", f"accepted, {SIZE} bytes each, {SESSIONS} sessions")
    print_figure(peer.peak_mib(), "MiB", "memory of the relay at most (VmHWM)")
    looks = [peer.command("queue", "list", "--limit", "20") for _ in range(LOOKS)]
    print_figure(statistics.median(looks) * 1000, "ms", "queue list --limit 20")
    print_figure(statistics.median(peer.command("check-config") for _ in range(LOOKS)) * 1000, "ms",
                 "of these for a command that looks at no queue (check-config)")


def print_start(peer, server):
    """It starts with all of them, and its server is up."""
    peer.end()
    server.start()
    began = time.monotonic()
    peer.run()
    print_figure((time.monotonic() - began) * 1000, "ms", "from the relay's start to its greeting")
    through.await_count(server, 1)
    print_figure((time.monotonic() - began) * 1000, "ms", "to the first message that it delivers")
    server.stop()
    print_figure(peer.peak_mib(), "MiB", "memory of the relay at most")


def print_rehomed(peer, standby):
    """By an operator's command; the director's start is in the time."""
    standby.start()
    director = peer.direct()
    try:
        took = peer.command("server", "failover", "mail1")
        print_figure(took * 1000, "ms", "server failover: verified, routed, all re-homed")
        print_figure(peer.rehoming_ms(), "ms", "of these for the re-homing: from the decision to route to the record of it")
        began = time.monotonic()
        through.await_count(standby, 1)
        print_figure((time.monotonic() - began) * 1000, "ms", "from then to the first message that the other server has")
        print_figure(peer.peak_mib(), "MiB", "memory of the relay at most")
    finally:
        director.terminate()
        director.wait()
        standby.stop()


def print_all(folder, full, kind=peers.Holdfast, and_then=lambda peer: None):
    """and_then: more about the peer, which still runs."""
    count = FULL if full else QUICK
    server = peers.CountingSink(folder / "mail1")
    standby = Standby(folder / "mail2")
    peer = with_standby(kind)(folder / "relay", server.port, standby.port)
    print(f"{count} messages in custody")
    peer.start()
    try:
        print_held(peer, count)
        print_start(peer, server)
        print_rehomed(peer, standby)
        and_then(peer)
    finally:
        peer.stop()
