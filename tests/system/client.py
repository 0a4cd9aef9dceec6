"""One SMTP session by lines, from an address that the test chooses."""

import socket

LIMIT_S = 20


class Client:
    def __init__(self, place, source, first=b""):
        """first: sent before the greeting is read."""
        self.connection = socket.create_connection(place, timeout=LIMIT_S, source_address=(source, 0))
        self.lines = self.connection.makefile("rb")
        if first:
            self.connection.sendall(first)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.lines.close()
        self.connection.close()

    def reply(self):
        """All its lines; "" when the session is over."""
        said = ""
        while True:
            try:
                line = self.lines.readline().decode()
            except ConnectionError:
                return said
            said += line
            if line[3:4] != "-":
                return said

    def say(self, line):
        self.connection.sendall(line.encode() + b"\r\n")
        return self.reply()

    def send(self, recipient, content="Subject: x\r\n\r\ntext\r\n"):
        """A message after EHLO; the reply to it."""
        assert self.say("MAIL FROM:<sender@outside.test>").startswith("250")
        assert self.say(f"RCPT TO:<{recipient}>").startswith("250")
        assert self.say("DATA").startswith("354")
        return self.say(content + ".")
