"""The world outside: a name server that answers by a table, as a recursive one would."""

import socketserver
import struct
import threading

A, SOA, MX = 1, 6, 15
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3


def wire_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def record(owner, rtype, data):
    return wire_name(owner) + struct.pack("!HHIH", rtype, 1, 1, len(data)) + data


class OutsideDns:
    """While it runs it answers on UDP. names: name -> {"MX": [(preference, host)], "A": [address]}; a name that is
    not there is NXDOMAIN; SERVFAIL instead of a table: nobody knows it now. asked: (name, type) of each question."""

    def __init__(self, address, port, names):
        self.names = names
        self.asked = []
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                query, socket = self.request
                socket.sendto(outer._answer(query), self.client_address)

        self._server = socketserver.ThreadingUDPServer((address, port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, query):
        ident, = struct.unpack("!H", query[:2])
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
            at += 1 + query[at]
        rtype, = struct.unpack("!H", query[at + 1:at + 3])
        name, question = ".".join(labels), query[12:at + 5]
        self.asked.append((name, rtype))
        rcode, records = self._look_up(name, rtype)
        authority = [] if records or rcode == SERVFAIL else [record("", SOA, b"\0\0" + struct.pack("!5I", 1, 1, 1, 1, 1))]
        head = struct.pack("!HHHHHH", ident, 0x8180 | rcode, 1, len(records), len(authority), 0)
        return head + question + b"".join(records + authority)

    def _look_up(self, name, rtype):
        table = self.names.get(name)
        if table is SERVFAIL:
            return SERVFAIL, []
        if table is None:
            below = any(other.endswith("." + name) for other in self.names)
            return (NOERROR if below else NXDOMAIN), []
        if rtype == MX:
            return NOERROR, [record(name, MX, struct.pack("!H", preference) + wire_name(host))
                             for preference, host in table.get("MX", [])]
        if rtype == A:
            return NOERROR, [record(name, A, bytes(map(int, ip.split(".")))) for ip in table.get("A", [])]
        return NOERROR, []
