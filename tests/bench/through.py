"""From a sender to a server: end to end, and the drain when a server returns."""

import contextlib
import statistics
import threading
import time

import accept
import peers
import sink
import wait

SIZE = 4096
SESSIONS = 20
LIMIT_S = 900


@contextlib.contextmanager
def network(kind, folder):
    """A peer and its server, which is not started."""
    folder.mkdir()
    server = peers.CountingSink(folder / "server")
    peer = kind(folder / "peer", server.port)
    peer.start()
    try:
        yield peer, server
    finally:
        peer.stop()


def await_count(server, count):
    wait.until(lambda: server.count() >= count, f"{count} messages at the server", limit_s=LIMIT_S)


def end_to_end(peer, server, count):
    """Messages a second from the first command of a sender until the server has all."""
    server.start()
    try:
        began = time.monotonic()
        accept.send(peer, SESSIONS, count, SIZE)
        await_count(server, count)
        return count / (time.monotonic() - began)
    finally:
        server.stop()


def drain(peer, server, count):
    """Messages a second from the server's start until it has all that was held meanwhile."""
    accept.send(peer, SESSIONS, count, SIZE)
    wait.until(lambda: peer.holds() == count, f"{peer.name} that holds {count}", limit_s=LIMIT_S)
    began = time.monotonic()
    server.start()
    try:
        peer.flush()
        await_count(server, count)
        return count / (time.monotonic() - began)
    finally:
        server.stop()


def measure(figure, folder, count, runs, kinds=(peers.Holdfast, peers.Postfix)):
    """{name: median}; each run has a network of its own."""
    rates = {kind.name: [] for kind in kinds}
    for number in range(runs):
        for kind in kinds:
            with network(kind, folder / f"{figure.__name__}-{kind.name}-{number}") as (peer, server):
                rates[kind.name].append(figure(peer, server, count))
    return {name: statistics.median(values) for name, values in rates.items()}


# ---- the first message ----

class Returning(sink.Sink):
    """A server that notes when it has answered a good probe, and when it has a message."""

    def __init__(self, address, port):
        super().__init__(address, port)
        self.probed = self.delivered = None
        self.done = threading.Event()
        self.answers = {"EHLO": self._on_ehlo, ".": self._on_dot}

    def _on_ehlo(self, _line):
        if self.probed is None:
            self.probed = time.monotonic()
        return sink.WELL["EHLO"]

    def _on_dot(self, _line):
        if self.delivered is None:
            self.delivered = time.monotonic()
            self.done.set()
        return sink.WELL["."]


def first_message(folder, runs):
    """Median of the seconds from a probe's answer to the first message that was held."""
    taken = []
    for number in range(runs):
        with network(peers.Holdfast, folder / f"first-{number}") as (peer, server):
            accept.send(peer, 1, 10, SIZE)
            returning = Returning(peers.ADDRESS, server.port).start()
            assert returning.done.wait(LIMIT_S), "no message"
            taken.append(returning.delivered - returning.probed)
            returning.stop()
    return statistics.median(taken)
