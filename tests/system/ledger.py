"""What was sent, what was answered, and whether readers find exactly that.

Every attempt to send has a tag of its own, also the second one for the same
message, so that a double of ours can be told from a sender's second attempt."""

import collections
import dataclasses
import hashlib
import re
import threading

ACCEPTED, REFUSED, UNKNOWN = "accepted", "refused", "unknown"
TAG = re.compile(rb"^X-Tag: (\S+)\r$", re.MULTILINE)


@dataclasses.dataclass
class Attempt:
    tag: str
    recipients: list
    content: bytes
    outcome: str = UNKNOWN
    host: str = ""
    reply: str = ""
    sent_whole: bool = False  # up to its final dot: the reply is about that


def make_content(tag, sender, recipient, size_bytes):
    """A message of about size_bytes, with lines that begin with dots."""
    head = (f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: {tag}\r\nX-Tag: {tag}\r\n"
            f"Message-ID: <{tag}@sender.test>\r\nDate: Mon, 01 Jan 2024 00:00:00 +0000\r\n\r\n").encode()
    seed = hashlib.sha256(tag.encode()).hexdigest()
    lines = [f".{seed} {number}\r\n".encode() for number in range(max(1, size_bytes // 70))]
    return head + b"".join(lines)


def tag_of(raw):
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n"
    found = TAG.search(head)
    return found.group(1).decode() if found else None


class Ledger:
    """Safe for several threads."""

    def __init__(self, name="m"):
        self.name = name
        self.attempts = {}
        self.opened = 0
        self.lock = threading.Lock()

    def open(self, sender, recipients, size_bytes=600):
        """A new attempt, with its message."""
        with self.lock:
            tag = f"{self.name}-{self.opened}"
            self.opened += 1
            content = make_content(tag, sender, recipients[0], size_bytes)
            attempt = self.attempts[tag] = Attempt(tag, list(recipients), content)
        return attempt

    def of(self, outcome, recipient=None):
        with self.lock:
            return [a for a in self.attempts.values()
                    if a.outcome == outcome and (recipient is None or recipient in a.recipients)]

    def accepted(self, recipient=None):
        return {a.tag for a in self.of(ACCEPTED, recipient)}

    def count_accepted(self):
        return len(self.of(ACCEPTED))

    def hosts(self):
        """Who accepted how many."""
        return collections.Counter(a.host for a in self.of(ACCEPTED))

    def has_all(self, messages, recipient=None):
        return self.accepted(recipient) <= {tag_of(raw) for raw in messages}

    def judge(self, messages, recipient=None, doubles=()):
        """Fails unless every accepted message is there, once and unchanged, what was refused is not, and what had
        no answer is there once at most. doubles: tags that may be there more often."""
        seen = collections.Counter(tag_of(raw) for raw in messages)
        wrong = {
            "lost": sorted(self.accepted(recipient) - set(seen)),
            "doubled": sorted(str(tag) for tag, count in seen.items() if count > 1 and tag not in doubles),
            "refused, but there": sorted(f"{a.tag} ({a.reply})" for a in self.of(REFUSED) if a.tag in seen),
            "never sent": sorted(str(tag) for tag in seen if tag not in self.attempts),
            "changed": sorted({str(tag_of(raw)) for raw in messages if not self.is_unchanged(raw)}),
        }
        bad = {what: tags for what, tags in wrong.items() if tags}
        told = "; ".join(f"{len(tags)} {what}: {' '.join(tags[:10])}" for what, tags in bad.items())
        assert not bad, f"of {len(self.accepted(recipient))} accepted: {told}"

    def is_unchanged(self, raw):
        """Servers put lines in front of a message, and change nothing of it."""
        attempt = self.attempts.get(tag_of(raw))
        return attempt is None or raw.endswith(attempt.content)
