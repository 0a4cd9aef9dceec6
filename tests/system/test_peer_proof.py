"""Our own parts prove themselves to each other alone: who asks a relay for a proof, to show it elsewhere, gets none."""

import re
import smtplib

import wait
from network import ALICE


class Middle:
    """An external server that offers our client what our edge has offered it, and would hand on what comes."""

    def __init__(self, sink, edge):
        self.edge = edge
        self.nonces = []
        self.sessions = []
        sink.answers["EHLO"] = self.offer
        sink.answers["XHOL"] = self.hand_on

    def offer(self, _):
        session = smtplib.SMTP(*self.edge, timeout=20)
        session.ehlo("middle.example")
        self.sessions.append(session)
        self.nonces.append(session.esmtp_features["xholdfast"])
        return f"250-mail1.example.test\r\n250 XHOLDFAST {self.nonces[-1]}"

    def hand_on(self, line):
        code, text = self.sessions[-1].docmd(line)
        return f"{code} {text.decode()}"


def test_an_external_server_gets_none(backup_mx, make_sink):
    sink = make_sink()
    middle = Middle(sink, backup_mx.RELAY)
    with smtplib.SMTP(*backup_mx.RELAY, timeout=20) as session:
        session.sendmail("sender@other.example", [ALICE], "Subject: x\r\n\r\ntext\r\n")
    wait.until(lambda: sink.messages, "the message at the server")
    assert middle.nonces, "it was asked"
    assert not sink.commands("XHOLDFAST")
    assert not [line for line in sink.commands("MAIL") if "XCUSTODY" in line or "AUTH=" in line]
    for session in middle.sessions:
        session.close()


def test_a_builtin_server_does(two_site):
    """The id that it takes the message as is the relay's: only a proved peer may say one."""
    with smtplib.SMTP("127.1.0.2", 2525, timeout=20) as session:
        session.ehlo("sender.example")
        session.mail("sender@other.example")
        session.rcpt(ALICE)
        code, text = session.data("Subject: x\r\n\r\ntext\r\n")
    assert code == 250
    custody = text.decode().split()[-1]
    taken = re.compile(f"delivered id={custody} .*server=mail1 .*Accepted as {custody}")
    two_site.until(lambda: taken.search(two_site.log_path.read_text(errors="replace")), "it is taken as that")
