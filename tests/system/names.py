"""DNS, asked by dig. What is asked again and again is read by dig once for each different answer: a dig costs more than
all else in a look at the network."""

import socket
import struct
import subprocess

DIG_NO_REPLY = 9  # its exit status when no server answered
TRIES, TRY_S = 2, 1  # dig's, and ours
TYPE_NUMBERS = {"A": 1, "MX": 15}
RECURSION_DESIRED, INTERNET = 0x0100, 1


class NoName(AssertionError):
    """No name server answered, or the answer holds nothing."""


def dig(server, name, rtype, *options):
    """dig's whole text; server is (address, port). NoName when nobody answers."""
    argv = ["dig", f"@{server[0]}", "-p", str(server[1]), f"+time={TRY_S}", f"+tries={TRIES}", *options, name, rtype]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30)
    if done.returncode == DIG_NO_REPLY:
        raise NoName(f"{server[0]}:{server[1]} does not answer")
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stdout}{done.stderr}"
    return done.stdout


def short(server, name, rtype):
    """The answer's data, one text each, CNAMEs followed."""
    text = dig(server, name, rtype, "+short")
    return [line for line in text.splitlines() if line and not line.startswith(";")]


def status_of(server, name, rtype, *options):
    """The response code's name: NOERROR, NXDOMAIN, ..."""
    return dig(server, name, rtype, *options).partition("status: ")[2].partition(",")[0]


def query(name, rtype):
    """RFC 1035 4.1; its id is 0: each has a socket of its own."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", 0, RECURSION_DESIRED, 1, 0, 0, 0) + labels + struct.pack(">B2H", 0, TYPE_NUMBERS[rtype], INTERNET)


def raw_answer(server, name, rtype):
    """As it comes. NoName when there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(TRY_S)
        connection.connect(server)
        for _ in range(TRIES):
            try:
                connection.send(query(name, rtype))
                return connection.recv(65535)
            except OSError:
                pass
    raise NoName(f"{server[0]}:{server[1]} does not answer")


class Reader:
    """What dig has read of raw answers."""

    def __init__(self):
        self.known = {}

    def short(self, server, name, rtype):
        raw = raw_answer(server, name, rtype)
        if (name, rtype, raw) in self.known:
            return self.known[name, rtype, raw]
        lines = short(server, name, rtype)
        if raw_answer(server, name, rtype) == raw:  # dig was given this one
            self.known[name, rtype, raw] = lines
        return lines


READER = Reader()


class Resolver:
    """Asks the name servers in their order, as a host of a network does."""

    def __init__(self, servers):
        self.servers = servers

    def ask(self, name, rtype):
        for server in self.servers:
            try:
                return READER.short(server, name, rtype)
            except NoName:
                continue
        raise NoName(f"none of {self.servers} answers")

    def mx(self, domain):
        """Hosts, most preferred first (RFC 5321 5.1)."""
        pairs = [line.split() for line in self.ask(domain, "MX")]
        return [host.rstrip(".") for _, host in sorted(pairs, key=lambda pair: int(pair[0]))]

    def a(self, host):
        return self.ask(host, "A")

    def address(self, host):
        """The first address; NoName when there is none."""
        addresses = self.a(host)
        if not addresses:
            raise NoName(f"{host} has no address")
        return addresses[0]
