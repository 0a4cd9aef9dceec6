"""An external messaging server of another make: LMTP in, IMAP4 out, and a store that only it knows."""

import socketserver
import threading

from sink import Sink


class External(Sink):
    """Takes mail by LMTP on one port (RFC 2033: a reply for each recipient), lets read it by IMAP4rev1 on another, as
    much of it as imaplib and a health probe ask for. Any login is welcome, and finds what was sent to it."""

    def __init__(self, address, lmtp_port, imap_port):
        super().__init__(address, lmtp_port)
        self.answers["LHLO"] = "250 external"
        self.answers["EHLO"] = self.answers["HELO"] = "500 5.5.1 this is LMTP"
        self._imap_place = (address, imap_port)
        self._imap = None
        self._accepted = {}  # by connection: recipients of the message under way

    def start(self):
        external = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                external._read_mail(self.rfile, self.wfile)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # the other end went away

        super().start()
        self._imap = Server(self._imap_place, Handler)
        threading.Thread(target=self._imap.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        super().stop()
        if self._imap:
            self._imap.shutdown()
            self._imap.server_close()
            self._imap = None

    # ---- LMTP ----

    def _say(self, connection, what, line):
        said = super()._say(connection, what, line)
        if what == "RCPT" and said:
            with self.changed:
                self._accepted[connection] = self._accepted.get(connection, 0) + said.startswith("2")
        if what == "." and said:  # the first recipient's reply is said
            with self.changed:
                more = self._accepted.pop(connection, 1) - 1
            for _ in range(more):
                super()._say(connection, what, line)
        return said

    # ---- IMAP ----

    def _read_mail(self, lines, out):
        user = ""
        out.write(b"* OK [CAPABILITY IMAP4rev1] external\r\n")
        for raw in lines:
            tag, _, command = raw.decode(errors="replace").strip().partition(" ")
            verb, _, rest = command.partition(" ")
            verb = verb.upper()
            if verb == "LOGIN":
                user = rest.split()[0].strip('"')
            for line in self._untagged(verb, rest, user):
                out.write(line)
            out.write(f"{tag} OK done\r\n".encode())
            if verb == "LOGOUT":
                return

    def _untagged(self, verb, rest, user):
        with self.changed:
            mails = [content for _, recipients, content in self.messages for to in recipients if to == user]
        if verb == "CAPABILITY":
            yield b"* CAPABILITY IMAP4rev1\r\n"
        elif verb in ("SELECT", "EXAMINE"):
            yield b"* FLAGS (\\Seen)\r\n* %d EXISTS\r\n* OK [UIDVALIDITY 1]\r\n" % len(mails)
        elif verb == "SEARCH":
            yield b"* SEARCH" + b"".join(b" %d" % (i + 1) for i in range(len(mails))) + b"\r\n"
        elif verb == "FETCH":
            for i, content in enumerate(mails):
                yield b"* %d FETCH (BODY[] {%d}\r\n%b)\r\n" % (i + 1, len(content), content)
        elif verb == "LOGOUT":
            yield b"* BYE\r\n"
