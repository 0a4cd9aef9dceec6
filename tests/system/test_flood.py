"""A stranger's idle connections, more than there are descriptors: nobody is kept out, and nothing fails over."""

import resource
import smtplib
import socket

import program
import reader
import wait
from network import ALICE, TwoSite

DESCRIPTORS = 300  # of each process: a small machine
CONNECTIONS = 600
SOFT, OF_THE_TEST = 256, 2 * CONNECTIONS + 256


def limited(network):
    """Soft below hard, as it is anywhere."""
    network.spawn("run", wrapper=("sh", "-c", f'ulimit -Sn {SOFT} && ulimit -Hn {DESCRIPTORS} && exec "$@"', "sh"))
    network.await_ready()
    return network


def flood(address, port):
    """Connections that say nothing and are never closed by us. The kernel's backlog is the server's to empty."""
    return [socket.create_connection((address, port), timeout=30) for _ in range(CONNECTIONS)]


def send(address, port, subject):
    with smtplib.SMTP(address, port, timeout=30) as session:
        session.sendmail("sender@client.example", [ALICE], f"Subject: {subject}\r\n\r\nx\r\n")


def can_read(network, subject):
    return any(subject.encode() in message for message in reader.imap_messages(network.HOME, network.IMAP))


def ended_by(sockets):
    """How many were told to go."""
    count = 0
    for sock in sockets:
        sock.setblocking(False)
        try:
            data = sock.recv(4096)
            count += b"Too many connections" in data or data == b""
        except BlockingIOError:
            pass
    return count


def test_idle_connections_keep_nobody_out(make_network):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, OF_THE_TEST)), hard))
    network = limited(make_network(TwoSite, "two-site.conf"))
    before = network.server()
    sockets = []
    try:
        sockets += flood(network.HOME, network.IMAP)
        sockets += flood(network.RELAY_EAST, network.SMTP)
        send(network.RELAY_EAST, network.SMTP, "amid the flood")
        network.until(lambda: can_read(network, "amid the flood"), "the message, read by a user who logged in")
        after = network.server()
        assert (after["epoch"], after["state"]) == (before["epoch"], "operational"), after
        assert after["pid"] == before["pid"] and program.is_alive(after["pid"])
        wait.until(lambda: ended_by(sockets) > 0, "a word to those that were ended")
        assert "inoperable" not in network.log_path.read_text(errors="replace")
    finally:
        for sock in sockets:
            sock.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
