"""A program that listens where a messaging server should, and is none: impostor.py STATE ADDRESS PORTS-AS-JSON SAYS.
SAYS: what its greetings tell; "" for one that accepts connections and is silent. It takes every message, and keeps none.
"up" on stdout when it listens."""

import json
import socketserver
import sys
import threading

ADDRESS, PORTS, SAYS = sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
GREETINGS = {"imap": "* OK {}", "pop3": "+OK {}"}
ANSWERS = {"imap": "* CAPABILITY IMAP4rev1\r\n{} OK done", "pop3": "+OK"}


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        service = self.server.service
        if not SAYS:
            self.rfile.read()
            return
        self.say(GREETINGS.get(service, "220 mail1.example.test {}").format(SAYS))
        for line in self.rfile:
            words = line.decode(errors="replace").split() or [""]
            if words[0].upper() == "DATA":
                self.say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
            self.say(ANSWERS.get(service, "250 ok").format(words[0]))

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # the other end went away


SERVERS = [Server((ADDRESS, port), Session) for port in PORTS.values()]
for server, server.service in zip(SERVERS, PORTS):
    threading.Thread(target=server.serve_forever).start()
print("up", flush=True)
