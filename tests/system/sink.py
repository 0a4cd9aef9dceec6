"""An external messaging server that takes mail, or misbehaves as it is told."""

import socket
import socketserver
import threading

HANG, DROP = object(), object()

WELL = {"greeting": "220 mail1.example.test sink", "EHLO": "250 mail1.example.test", "HELO": "250 mail1.example.test",
        "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok", "DATA": "354 go on", ".": "250 2.0.0 taken", "RSET": "250 ok",
        "BDAT": "250 2.0.0 go on", "NOOP": "250 ok", "QUIT": "221 bye"}


class Sink:
    """While it runs it listens on its address; stopped, connections are refused.

    Chunks (BDAT) are taken, offered or not.

    answers: what is said instead of WELL, by command, "greeting", "." or "data"
    (within a message: DROP); a value is a reply, HANG, DROP, or a function of the
    command's line that returns one.

    goes_mute: after its answer to this command a session says nothing more.

    tls: an ssl.SSLContext; with it STARTTLS is offered."""

    def __init__(self, address, port):
        self.place = (address, port)
        self.answers = {}
        self.goes_mute = None
        self.tls = None
        self.plain_offers = []  # with STARTTLS: what else is offered before it
        self.sessions = []  # of each, the command lines; "(TLS)" where it began
        self.messages = []  # taken: (reverse-path, recipients, content)
        self.ciphers = []  # of each message: the cipher, or None
        self.changed = threading.Condition()
        self._server = None
        self._open = set()

    def start(self):
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                sink._serve(self.connection, self.rfile)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # the other end went away

        self._server = Server(self.place, Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        """Dead: nothing listens, open sessions are cut."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        with self.changed:
            for connection in list(self._open):
                _shut(connection)

    def contents(self):
        with self.changed:
            return [content for _, _, content in self.messages]

    def commands(self, verb):
        """All lines that began with the verb, of all sessions."""
        with self.changed:
            return [line for session in self.sessions for line in session if line.upper().startswith(verb)]

    # ---- one session ----

    def _serve(self, connection, lines):
        session = []
        with self.changed:
            self._open.add(connection)
            self.sessions.append(session)
        try:
            self._converse(connection, lines, session)
        except (OSError, ConnectionError):
            pass
        finally:
            with self.changed:
                self._open.discard(connection)

    def _converse(self, connection, lines, session):
        if self._say(connection, "greeting", ""):
            self._command_lines(connection, lines, session)

    def _command_lines(self, connection, lines, session):
        envelope = ["", [], b""]
        for raw in lines:
            line = raw.decode(errors="replace").rstrip("\r\n")
            with self.changed:
                session.append(line)
            verb = line[:4].upper()
            if verb == "BDAT":
                if not self._take_chunk(connection, lines, envelope, line):
                    return
                continue
            said = self._say(connection, verb, line)
            if not said or verb == "QUIT":
                return
            if verb == self.goes_mute:
                return _hang(connection)
            if verb == "STAR" and said.startswith("220") and self.tls:
                return self._under_tls(connection, session)
            if verb == "MAIL":
                envelope = [line[10:].partition(">")[0].lstrip("<"), [], b""]
            elif verb == "RCPT" and said.startswith("2"):
                envelope[1].append(line[8:].partition(">")[0].lstrip("<"))
            elif verb == "DATA" and said.startswith("3") and not self._take(connection, lines, envelope):
                return

    def _under_tls(self, plain, session):
        with self.tls.wrap_socket(plain, server_side=True) as connection, self.changed:
            self._open.add(connection)
            session.append("(TLS)")
            self.changed.release()
            try:
                self._command_lines(connection, connection.makefile("rb"), session)
            finally:
                self.changed.acquire()
                self._open.discard(connection)

    def _content(self, connection, lines):
        """Of a message up to its final dot, or None."""
        content = []
        try:
            for raw in lines:
                if self.answers.get("data") is DROP:
                    _shut(connection)
                    return None
                if raw == b".\r\n":
                    return b"".join(content)
                content.append(raw[1:] if raw.startswith(b".") else raw)
        except OSError:
            pass
        return None

    def _take(self, connection, lines, envelope):
        content = self._content(connection, lines)
        return content is not None and self._taken(connection, envelope, content)

    def _take_chunk(self, connection, lines, envelope, line):
        _, size, *last = line.split()
        envelope[2] += lines.read(int(size))
        return self._taken(connection, envelope, envelope[2]) if last else bool(self._say(connection, "BDAT", line))

    def _taken(self, connection, envelope, content):
        said = self._say(connection, ".", "")
        if said and said.startswith("2"):
            with self.changed:
                self.messages.append((envelope[0], envelope[1], content))
                self.ciphers.append(connection.cipher() if hasattr(connection, "cipher") else None)
                self.changed.notify_all()
        return bool(said)

    def _well(self, connection, what):
        if what == "STAR" and self.tls:
            return "220 2.0.0 go on"
        if what == "EHLO" and self.tls and not hasattr(connection, "cipher"):
            return "\r\n250-".join(["250-mail1.example.test", *self.plain_offers]) + "\r\n250 STARTTLS"
        return WELL.get(what, "500 5.5.2 what?")

    def _say(self, connection, what, line):
        """What was said, or None when the session is over."""
        answer = self.answers.get(what, self._well(connection, what))
        if callable(answer):
            answer = answer(line)
        if answer is HANG:
            return _hang(connection)
        if answer is DROP:
            _shut(connection)
            return None
        connection.sendall(answer.encode() + b"\r\n")
        return None if answer.startswith("421") else answer


def _hang(connection):
    """It says nothing until the other end goes away, or for a minute."""
    connection.settimeout(60)
    while connection.recv(4096):
        pass


def _shut(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
