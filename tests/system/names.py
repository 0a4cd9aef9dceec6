"""DNS, asked by dig."""

import subprocess

DIG_NO_REPLY = 9  # its exit status when no server answered


class NoName(AssertionError):
    """No name server answered, or the answer holds nothing."""


def dig(server, name, rtype, *options):
    """dig's whole text; server is (address, port). NoName when nobody answers."""
    argv = ["dig", f"@{server[0]}", "-p", str(server[1]), "+time=1", "+tries=2", *options, name, rtype]
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


class Resolver:
    """Asks the name servers in their order, as a host of a network does."""

    def __init__(self, servers):
        self.servers = servers

    def ask(self, name, rtype):
        for server in self.servers:
            try:
                return short(server, name, rtype)
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
