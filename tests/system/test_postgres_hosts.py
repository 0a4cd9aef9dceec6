"""A URL with several hosts: one that is silent, as a machine without power, holds up no connection to another."""

import contextlib
import socket
import threading

import pytest
from network import TwoSite

DATABASE, SILENT, SEEN, STANDBY = "127.1.0.54", "127.1.0.55", "127.1.0.56", "127.2.0.54"
PORT = 5432
CHUNK_BYTES = 65536


class Silent:
    """Connections are made, and nobody says anything."""

    def __init__(self, listener):
        self.listener = listener
        self.listener.setblocking(False)
        self.connections = []

    def is_waited_for(self):
        """The other end of one has not given up."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.connections.append(self.listener.accept()[0])
        return any(is_open(connection) for connection in self.connections)


def is_open(connection):
    """What it has sent is read away."""
    connection.setblocking(False)
    try:
        while connection.recv(CHUNK_BYTES):
            pass
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False


class Seen:
    """In front of a database: notes whether a condition held when a connection was made to it."""

    def __init__(self, listener, database, condition):
        self.listener = listener
        self.database, self.condition = database, condition
        self.notes = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near = self.listener.accept()[0]
                self.notes.append(self.condition())
                far = socket.create_connection((self.database, PORT))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=carry, args=pair, daemon=True).start()


def carry(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK_BYTES):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def database(make_cluster):
    return make_cluster("store", DATABASE).create().start()


@pytest.fixture
def listeners():
    """Of the silent one, and of the one that is seen."""
    with socket.create_server((SILENT, PORT)) as silent, socket.create_server((SEEN, PORT)) as seen:
        yield silent, seen


def test_a_silent_host_is_not_waited_for(make_network, database, listeners):
    silent = Silent(listeners[0])
    seen = Seen(listeners[1], DATABASE, silent.is_waited_for)
    url = f"postgresql://holdfast@{SILENT}:{PORT},{SEEN}:{PORT}/postgres"
    network = make_network(TwoSite, "two-site.conf", [('url = "sqlite:store"', f'url = "{url}"  durability = "local"')])
    said = network.command("status")  # one process; that nobody has made the store yet is all that it can say
    assert seen.notes and all(seen.notes), f"the other host is asked while the first one may still answer; {said.stderr}"


def test_a_standby_before_the_primary_in_the_url(make_network, make_cluster, database, ledger):
    standby = make_cluster("standby", STANDBY).create_standby(database).start()
    url = f"postgresql://holdfast@{standby.address},{DATABASE}/postgres"
    network = make_network(TwoSite, "two-site.conf", [('url = "sqlite:store"', f'url = "{url}"  durability = "local"')]).start()
    network.mta(ledger).send(5)
    network.judge(ledger)
