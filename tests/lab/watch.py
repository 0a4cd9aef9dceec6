"""Looks at a lab again and again, beside whatever happens to it: who takes writes, and which UIDs a reader is shown."""

import re
import threading

import reader
import wait
from lab.lab import SITES
from ledger import tag_of
from network import NOT_YET

UID = re.compile(rb"\bUID (\d+)")
PAUSE_S = 0.2


class Watch:
    """As a context. Its end fails when something was seen that must never be."""

    def __init__(self, lab):
        self.lab = lab
        self.seen = {}  # {(UIDVALIDITY, UID): tag}
        self.wrong = []
        self.looks = 0  # that a reader had an answer
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._again, args=(look,), daemon=True)
                        for look in (self.look_at_writers, self.look_at_mailbox)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        if kind is None:
            self._mailbox_in_the_end()
            assert not self.wrong, "; ".join(self.wrong[:10])

    def _again(self, look):
        while not self.stopping.wait(PAUSE_S):
            try:
                look()
            except NOT_YET:
                pass  # nobody to ask

    def look_at_writers(self):
        """One that takes writes before and after the other did, did so at the same time."""
        one, other = (self.lab.databases[site] for site in SITES)
        if one.takes_writes() and other.takes_writes() and one.takes_writes():
            self.wrong.append("both databases take writes")

    def look_at_mailbox(self):
        network = self.lab.holdfast
        with reader.imap(network.reading_address(), network.IMAP, readonly=True, tls=network.tls) as session:
            self.note(shown(session))
        self.looks += 1

    def note(self, messages):
        """What a reader was shown: ((UIDVALIDITY, UID), tag) of each."""
        for key, tag in messages:
            if self.seen.setdefault(key, tag) != tag:
                self.wrong.append(f"UID {key[1]} was {self.seen[key]}, and is {tag}")

    def _mailbox_in_the_end(self):
        looks = self.looks
        wait.until(lambda: self.look_at_mailbox() or self.looks > looks, "a last look into the mailbox", tolerate=NOT_YET)


def shown(session):
    """As note() wants it."""
    if not reader.has_messages(session):
        return []
    validity = session.untagged_responses["UIDVALIDITY"][0]
    parts = session.fetch("1:*", "(UID BODY.PEEK[HEADER.FIELDS (X-TAG)])")[1]
    return [((validity, int(UID.search(part[0]).group(1))), tag_of(part[1])) for part in parts if isinstance(part, tuple)]
