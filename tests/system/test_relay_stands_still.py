"""A relay that stands still amid a message, for so long that another delivers it, does not end the message when it goes
on: an external server, which knows no custody id, gets it once."""

import signal
import threading

import pytest
from network import TwoSite

SIZE_BYTES = 16 << 20  # more than the kernel takes for a reader that does not read

EXTERNAL = (
    ('kind     = "builtin"', 'kind     = "external"'),
    ('recipients = "directory"', 'recipients = "any"'),
    ("smtp_port = 2525  lmtp_port = 2424  submission_port = 2587  imap_port = 2143  pop3_port = 2110", "smtp_port = 2525"),
    ('check { kind = "imap"  interval = "2s"  timeout = "2s"  fall = 3  rise = 1 }', ""),
    ('mode     = "automatic"', 'mode     = "manual"'),
    ('create { site = "east"  address = "same"        provisioner = "process"  fence = "process"  timeout = "30s" }', ""),
    ('create { site = "west"  address = "127.2.0.10"  provisioner = "process"  fence = "epoch"    timeout = "30s" }', ""),
)


class Hold:
    """Lets whoever comes first wait until it is released, and nobody else."""

    def __init__(self, answer=None):
        self.answer = answer
        self.reached, self.released = threading.Event(), threading.Event()

    def __call__(self, *_):
        if not self.reached.is_set():
            self.reached.set()
            self.released.wait()
        return self.answer


@pytest.mark.parametrize("place, answer", [("DATA", "354 go on"), ("data", None)], ids=["before its body", "amid its body"])
def test_a_relay_that_stood_still_amid_a_message_does_not_end_it(make_network, make_sink, ledger, place, answer):
    sink = make_sink(TwoSite.HOME, TwoSite.SMTP)
    network = make_network(TwoSite, "two-site.conf", EXTERNAL).start()
    network.until(lambda: network.server()["state"] == "operational", "a server that works")
    hold = sink.answers[place] = Hold(answer)
    assert len(network.mta(ledger).send_by(network.RELAY_WEST, 1, size_bytes=SIZE_BYTES)) == 1
    network.until(hold.reached.is_set, "a message on its way")
    network.pause_role("relay", "west1")
    network.until(lambda: network.relay("relay-west")["queue_owner"] == "east1", "another that owns its queue")
    network.until(lambda: len(sink.messages) == 1, "the message, by the other")
    hold.released.set()
    network.signal_role("relay", "west1", signal.SIGCONT)
    network.until(lambda: sink.broken == 1, "the end of its session, without a final dot")
    network.until(lambda: network.relay("relay-west")["alive"]
                  and network.relay("relay-west")["queue_owner"] == "west1", "its return")
    assert len(network.mta(ledger).send_by(network.RELAY_WEST, 1)) == 1  # it sends again
    network.until(lambda: len(sink.messages) == 2 and network.queued() == 0, "its next message")
    ledger.judge(sink.contents())
