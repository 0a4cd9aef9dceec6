"""Senders: one SMTP session, and an MTA that asks DNS and tries in order."""

import concurrent.futures
import smtplib

import ledger as ledgers
from names import NoName

SMTP_LIMIT_S = 20
MESSAGES_OF_A_SESSION = 25  # then DNS is asked again
SENDER = "sender@outside.test"


class Session:
    """One session that notes each answer. smtplib, but with the moment of the
    final dot in view: before it nothing can have been accepted. protocol: smtplib.SMTP
    or .LMTP; by that, a message goes to one recipient, who has one answer."""

    def __init__(self, address, port, protocol=smtplib.SMTP):
        self.smtp = protocol(timeout=SMTP_LIMIT_S, local_hostname="sender.test")
        self.address = address
        code, text = self.smtp.connect(address, port)
        if code != 220:
            raise smtplib.SMTPResponseException(code, text)
        self.smtp.ehlo_or_helo_if_needed()

    def close(self):
        try:
            self.smtp.quit()
        except (OSError, smtplib.SMTPException):
            pass
        self.smtp.close()

    def send(self, attempt, sender=SENDER):
        """Notes the outcome in the attempt; False when the session is of no more use."""
        attempt.outcome, attempt.host = ledgers.REFUSED, self.address
        try:
            if not self._envelope(attempt, sender):
                return not attempt.reply.startswith("421")
            attempt.outcome, attempt.sent_whole = ledgers.UNKNOWN, True
            self.smtp.send(dot_stuffed(attempt.content) + b".\r\n")
            code = self._note(attempt, self.smtp.getreply())
            attempt.outcome = ledgers.ACCEPTED if code == 250 else ledgers.REFUSED
            return code != 421
        except (OSError, smtplib.SMTPException) as error:
            attempt.reply = attempt.reply or repr(error)
            return False

    def _envelope(self, attempt, sender):
        steps = [lambda: self.smtp.docmd("MAIL", f"FROM:<{sender}>")]
        steps += [lambda to=to: self.smtp.docmd("RCPT", f"TO:<{to}>") for to in attempt.recipients]
        steps += [lambda: self.smtp.docmd("DATA")]
        for step in steps:
            if self._note(attempt, step()) not in (250, 354):
                self.smtp.docmd("RSET")
                return False
        return True

    @staticmethod
    def _note(attempt, reply):
        code, text = reply
        attempt.reply = f"{code} {text.decode(errors='replace')}"
        return code


def dot_stuffed(content):
    lines = content.split(b"\r\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)


class Mta:
    """Sends as RFC 5321 5.1 says: the exchangers of the domain in their order,
    the next one when one does not take it."""

    def __init__(self, resolver, ledger, port, protocol=smtplib.SMTP):
        self.resolver = resolver
        self.ledger = ledger
        self.port = port
        self.protocol = protocol

    def send(self, count, to="alice@example.test", size_bytes=600, sessions=4):
        """Sends count messages, each until it is accepted. Returns the tags that were."""
        share = [count // sessions + (1 if i < count % sessions else 0) for i in range(sessions)]
        with concurrent.futures.ThreadPoolExecutor(sessions) as pool:
            parts = list(pool.map(lambda n: self._send_in_turn(n, [to], size_bytes), share))
        return [tag for part in parts for tag in part]

    def _send_in_turn(self, count, to, size_bytes):
        tags, rounds = [], 0
        while len(tags) < count:
            batch = min(count - len(tags), MESSAGES_OF_A_SESSION)
            got = self._try_exchangers(batch, to, size_bytes)
            rounds = 0 if got else rounds + 1
            assert rounds < 200, f"nobody takes mail for {to[0]}; the last answers: {self._last_answers()}"
            tags += got
        return tags

    def _last_answers(self):
        return [(a.host, a.outcome, a.reply) for a in list(self.ledger.attempts.values())[-5:]]

    def _try_exchangers(self, count, to, size_bytes):
        tags = []
        for address in self.addresses(to[0].partition("@")[2]):
            tags += self.send_by(address, count - len(tags), to, size_bytes)
            if len(tags) == count:
                break
        return tags

    def addresses(self, domain):
        """Of the domain's exchangers, in the order to be tried."""
        return addresses_of(self.resolver, domain)

    def attempt_by(self, address, size_bytes=600):
        """One message to one host; its attempt. Its reply is the greeting's when that refused it."""
        attempt = self.ledger.open(SENDER, ["alice@example.test"], size_bytes)
        attempt.outcome, attempt.host = ledgers.REFUSED, address
        try:
            session = Session(address, self.port, self.protocol)
        except smtplib.SMTPResponseException as error:
            attempt.reply = f"{error.smtp_code} {error.smtp_error.decode(errors='replace')}"
        except (OSError, smtplib.SMTPException) as error:
            attempt.reply = repr(error)
        else:
            session.send(attempt)
            session.close()
        return attempt

    def send_by(self, address, count, to=("alice@example.test",), size_bytes=600):
        """One session to one host, until it refuses. Returns the accepted tags."""
        tags = []
        try:
            session = Session(address, self.port, self.protocol)
        except (OSError, smtplib.SMTPException):
            return tags
        try:
            while len(tags) < count:
                attempt = self.ledger.open(SENDER, to, size_bytes)
                usable = session.send(attempt)
                if attempt.outcome == ledgers.ACCEPTED:
                    tags.append(attempt.tag)
                if not usable or attempt.outcome != ledgers.ACCEPTED:
                    break
        finally:
            session.close()
        return tags


def addresses_of(resolver, domain):
    found = []
    try:
        for host in resolver.mx(domain):
            found += resolver.a(host)
    except NoName:
        pass  # every name server is away: tried again, as an MTA would
    return found
