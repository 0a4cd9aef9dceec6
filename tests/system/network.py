"""A network of the program's processes: started, looked at, killed, ended."""

import imaplib
import json
import os
import poplib
import signal
import subprocess

import program
import reader
import wait
from names import NoName, Resolver
from sender import Mta

ALICE = "alice@example.test"
BOB = "bob@example.test"
# Of the two-site network: an operator invokes the other server, so that a dead one stays undeliverable until then.
MANUAL = (('mode     = "automatic"', 'mode     = "manual"'),)
# Of the same: both relays take mail while the shared store is away.
SPOOL = (('listen  = {"127.1.0.2:2525"}', 'listen  = {"127.1.0.2:2525"}  spool = "yes"'),
         ('listen = {"127.2.0.2:2525"}', 'listen = {"127.2.0.2:2525"}  spool = "yes"'))
END_LIMIT_S = 30
LOOK_LIMIT_S = 10  # for a command that only looks
PAUSE_TRIES = 10

# What may go wrong while processes come and go.
NOT_YET = (AssertionError, OSError, NoName, subprocess.TimeoutExpired, json.JSONDecodeError, imaplib.IMAP4.error,
           poplib.error_proto)


class Network:
    """`holdfast run` with one configuration and one state folder, which names
    it: all its processes have the folder on their command line."""

    def __init__(self, config, state_dir, log_path):
        self.config = config
        self.state_dir = state_dir
        self.log_path = log_path
        self.parents = []  # what this test started itself

    # ---- commands ----

    def command(self, *words, **options):
        return program.holdfast(*words, config=self.config, state_dir=self.state_dir, **options)

    def json(self, *words):
        done = self.command(*words, "--json", limit_s=LOOK_LIMIT_S)
        assert done.returncode == program.DONE, f"{' '.join(words)}: {done.returncode} {done.stderr}"
        return json.loads(done.stdout)

    def must(self, *words):
        done = self.command(*words, limit_s=150)
        assert done.returncode == program.DONE, f"{' '.join(words)}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout

    def status(self):
        return self.json("status")

    def _named(self, kind, name):
        return next(entry for entry in self.status()[kind] if entry["name"] == name)

    def server(self, name="mail1"):
        return self._named("servers", name)

    def node(self, name):
        return self._named("nodes", name)

    def relay(self, name):
        return self._named("relays", name)

    def queued(self, name="mail1"):
        return self.server(name)["queued"]

    # ---- life ----

    def spawn(self, *words, wrapper=(), binary=program.BINARY):
        """Starts one long-running command of the program, in a process group of its own."""
        argv = [*wrapper, binary, *words, "-c", str(self.config), "--state-dir", str(self.state_dir)]
        with open(self.log_path, "ab") as log:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                       start_new_session=True)
        self.parents.append(process)
        return process

    def start(self, binary=program.BINARY):
        self.spawn("run", binary=binary)
        self.await_ready()
        return self

    def start_node(self, name):
        self.spawn("run", "--node", name)
        self.await_node(name)

    def await_node(self, name, alive=True):
        self.until(lambda: is_as(self.node(name), alive), f"node {name} {'alive' if alive else 'dead'}")

    def until(self, condition, what, **options):
        """wait.until that tolerates what is not there yet."""
        return wait.until(condition, what, tolerate=NOT_YET,
                          abandon=self.has_ended, **options)

    def has_ended(self):
        if self.parents and all(process.poll() is not None for process in self.parents):
            return "no process of the network is left"
        return None

    def log(self):
        return self.log_path.read_text(errors="replace")

    def stop(self):
        """Asks it to end, as Ctrl-C does; fails when something stays."""
        running = [process for process in self.parents if process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            assert process.wait(END_LIMIT_S) == 0, "it ended badly"
        wait.until(lambda: not program.pids_with(self.state_dir), "the end of all that had been started")

    def kill_everything(self):
        program.kill_all_with(self.state_dir)
        for process in self.parents:
            process.wait()
        self.parents.clear()

    # ---- deaths ----

    def server_pid(self, name="mail1"):
        pid = self.server(name)["pid"]
        assert pid > 0 and "mailbox" in program.command_line(pid), f"{pid} is no instance of {name}"
        return pid

    def kill_server(self, name="mail1"):
        pid = self.server_pid(name)
        program.kill(pid)
        return pid

    def pids_of_node(self, name):
        """The supervisor of the node and all that runs on it."""
        return [pid for pid in program.pids_with(self.state_dir)
                if node_of(program.command_line(pid)) == name]

    def kill_node(self, name):
        """Takes away its power: the supervisor dies, and all that runs there with it."""
        pid = self.node(name)["pid"]
        assert pid > 0 and "run" in program.command_line(pid), f"{pid} is no supervisor of {name}"
        program.kill(pid)
        wait.until(lambda: not self.pids_of_node(name), f"the end of all of node {name}")

    def pause_node(self, name):
        """As a machine that stands still."""
        self.pause(lambda: self.pids_of_node(name))

    def pause_role(self, role, *nodes):
        """Its processes alone stand still."""
        self.pause(lambda: [self.role_pid(role, node) for node in nodes])

    def pause(self, find_pids):
        """Not in the midst of a write: on one machine that would hold the store's lock, and stop all others, too."""
        for _ in range(PAUSE_TRIES):
            signal_all(find_pids(), signal.SIGSTOP)
            try:
                self.status()  # waits for the lock
                return
            except subprocess.TimeoutExpired:
                signal_all(find_pids(), signal.SIGCONT)
                self.await_ready()  # leases have run out meanwhile
        raise AssertionError("one was writing each time it was to be paused")

    def signal_node(self, name, signum):
        signal_all(self.pids_of_node(name), signum)

    def signal_role(self, role, node, signum):
        os.kill(self.role_pid(role, node), signum)

    def role_pid(self, role, node):
        """Of a role's process on a node."""
        return next(pid for pid in self.pids_of_node(node) if role in program.command_line(pid))


def signal_all(pids, signum):
    for pid in pids:
        os.kill(pid, signum)


def node_of(words):
    return words[words.index("--node") + 1] if "--node" in words else None


def is_as(node, alive):
    """All of it: it can carry out orders, too, where it has a director."""
    return node["alive"] == alive and (node["director"] is None or node["director"] == alive)


class TwoSite(Network):
    """The quick-start network."""

    DNS = (("127.1.0.53", 5300), ("127.2.0.53", 5300))
    RELAY_EAST, RELAY_WEST = "127.1.0.2", "127.2.0.2"
    HOME, REMOTE = "127.1.0.10", "127.2.0.10"  # of mail1 in the east, in the west
    SMTP, LMTP, SUBMISSION, IMAP, POP3 = 2525, 2424, 2587, 2143, 2110
    HOST, RELAY_HOSTS = "mail1.example.test", ["relay-east.example.test", "relay-west.example.test"]

    def __init__(self, *args):
        super().__init__(*args)
        self.resolver = Resolver(self.DNS)
        self.tls = None  # readers' context, where they are to use it

    def mta(self, ledger):
        return Mta(self.resolver, ledger, self.SMTP)

    def await_ready(self):
        """Every name server names the server first, and both nodes live."""
        self.until(lambda: all(Resolver([ns]).mx("example.test")[0] == self.HOST for ns in self.DNS)
                   and all(is_as(node, True) for node in self.status()["nodes"]), "a network that works")

    def await_operational_at(self, address):
        """mail1 lives and serves there, and DNS says so."""

        def serves():
            server = self.server()
            return (server["state"], server["address"]) == ("operational", address) and program.is_alive(server["pid"])

        self.until(lambda: self.resolver.a(self.HOST) == [address] and self.resolver.mx("example.test")[0] == self.HOST
                   and serves(), f"mail1 at {address}")

    def fail_back(self):
        """As an operator does; the command waits until the old instance is known to be off."""
        self.must("server", "failback", "mail1")
        self.await_operational_at(self.HOME)

    def await_steered_to_relays(self, servers=DNS):
        """No name server names the server any more."""
        self.until(lambda: all(self.HOST not in Resolver([ns]).mx("example.test") for ns in servers),
                   "DNS that names relays only")

    def reading_address(self):
        """Where a user's program goes: it asks DNS."""
        return self.resolver.address(self.HOST)

    def imap_messages(self, user=ALICE):
        return reader.imap_messages(self.reading_address(), self.IMAP, user=user, tls=self.tls)

    def pop3_messages(self, user=ALICE):
        return reader.pop3_messages(self.reading_address(), self.POP3, user=user, tls=self.tls)

    def await_delivered(self, ledger, user=ALICE, limit_s=wait.LIMIT_S):
        """All that was accepted for the user is there to read, and nothing waits any more."""
        self.until(lambda: self.queued() == 0 and ledger.has_all(self.imap_messages(user), user),
                   "all that was accepted, in the mailbox", limit_s=limit_s)

    def judge(self, ledger, user=ALICE, limit_s=wait.LIMIT_S):
        """Waits for all of it, then both readers must find exactly what was sent."""
        self.await_delivered(ledger, user, limit_s)
        for look in (self.imap_messages, self.pop3_messages):
            ledger.judge(self.seen_by(look, user), user)

    def seen_by(self, look, user):
        """What a reader finds, who comes again when the server has moved meanwhile."""
        return self.until(lambda: [look(user)], "a reader who finds a server")[0]


class BackupMx(Network):
    """The smallest network: one relay, one name server, an external server."""

    DNS = (("127.0.0.1", 5300),)
    RELAY, SERVER = ("127.0.0.1", 2525), ("127.0.0.1", 2600)
    HOST, RELAY_HOSTS = "mail1.example.test", ["relay1.example.test"]

    def __init__(self, *args):
        super().__init__(*args)
        self.resolver = Resolver(self.DNS)

    def mta(self, ledger):
        return Mta(self.resolver, ledger, self.RELAY[1])

    def await_ready(self):
        """The relay greets and the name server answers."""
        self.until(lambda: self.resolver.mx("example.test") and relay_greets(*self.RELAY), "a relay that greets")


def relay_greets(address, port):
    from sender import Session
    import smtplib
    try:
        Session(address, port).close()
        return True
    except (OSError, smtplib.SMTPException):
        return False
