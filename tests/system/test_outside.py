"""Mail that leaves the network: by the MX records of the recipient's domain, or by a smarthost; never to ourselves."""

import smtplib
import sqlite3

import pytest
import wait
from network import ALICE, BackupMx
from outside import SERVFAIL, OutsideDns

DNS = ("127.0.0.1", 5390)
PORT = 2526
NEAR, FAR, NOBODY = "127.0.0.61", "127.0.0.62", "127.0.0.63"

NAMES = {
    "far.example": {"MX": [(20, "mx2.far.example"), (10, "mx1.far.example")]},
    "mx1.far.example": {"A": [NEAR]},
    "mx2.far.example": {"A": [FAR]},
    "half.example": {"MX": [(10, "gone.example"), (20, "mx2.far.example")]},
    "gone.example": {"A": [NOBODY]},
    "plain.example": {"A": [NEAR]},
    "null.example": {"MX": [(0, "")]},
    "loop.example": {"MX": [(10, "relay1.example.test"), (10, "mx1.far.example"), (20, "mx2.far.example")]},
    "back.example": {"MX": [(10, "self.example")]},
    "self.example": {"A": ["127.0.0.1"]},
    "dark.example": SERVFAIL,
}
DOMAINS = sorted(name for name in NAMES if name.count(".") == 1) + ["none.example"]


@pytest.fixture
def dns():
    server = OutsideDns(*DNS, dict(NAMES))
    yield server
    server.stop()


@pytest.fixture
def network(make_network, dns):
    return start(make_network)


def start(make_network, keys="", domains=DOMAINS):
    """Its server is down: what it is sent waits, until an operator sends it outside."""
    served = "\n".join(f'domain "{name}" {{ server = "mail1"  relays = {{"relay1"}}  recipients = "any" }}'
                       for name in domains)
    return make_network(BackupMx, "backup-mx.conf", [
        ('retry = "1s"', f'resolver = {{"{DNS[0]}:{DNS[1]}"}}  outside_port = {PORT}  {keys}  retry = "1s"'),
        ('domain "example.test"', served + '\ndomain "example.test"')]).start()


def leave(network, *recipients):
    """A message for each goes outside."""
    with smtplib.SMTP(*network.RELAY, timeout=20) as session:
        for recipient in recipients:
            session.sendmail("sender@other.example", [recipient], f"Subject: for {recipient}\r\n\r\n.text\r\n")
    network.must("queue", "move", "--all", "--to", "*")


def rows(network, recipient):
    return [row for row in network.json("queue", "list") if row["recipient"] == recipient]


def until_quarantined(network, recipient, words):
    [row] = network.until(lambda: [row for row in rows(network, recipient) if row["state"] == "quarantined"],
                          f"{recipient} in quarantine")
    assert words in row["last_reply"], row["last_reply"]
    network.until(lambda: any(row["id"] in subject for subject in quarantine_events(network)), "its event")


def quarantine_events(network):
    with sqlite3.connect(f"file:{network.state_dir}/store/network.db?mode=ro", uri=True) as db:
        return [row[0] for row in db.execute("SELECT subject FROM event WHERE kind = 'quarantined'")]


def until_taken(sink, *recipients):
    wait.until(lambda: sorted(to for _, [to], _ in sink.messages) == sorted(recipients), f"{recipients} at the sink")


def test_by_preference_and_by_the_domain_itself(network, make_sink):
    near, far = make_sink(NEAR, PORT), make_sink(FAR, PORT)
    leave(network, "a@far.example", "b@half.example", "c@plain.example")
    until_taken(near, "a@far.example", "c@plain.example")
    until_taken(far, "b@half.example")
    assert near.commands("EHLO") and all(line == "EHLO relay1.example.test" for line in near.commands("EHLO"))
    assert not near.commands("XHOLDFAST") and b"\r\n.text\r\n" in near.contents()[0]
    network.until(lambda: not network.json("queue", "list"), "an empty queue")


def test_the_next_one_when_the_first_does_not_serve(network, make_sink):
    near, far = make_sink(NEAR, PORT), make_sink(FAR, PORT)
    near.answers["greeting"] = "421 4.3.2 not now"
    leave(network, "a@far.example")
    until_taken(far, "a@far.example")
    assert not near.messages


def test_what_cannot_be_delivered_is_in_quarantine(network, make_sink):
    make_sink(NEAR, PORT).answers["RCPT"] = "550 5.7.1 we do not want it"
    leave(network, "a@null.example", "b@none.example", "c@loop.example", "d@back.example", "e@far.example")
    until_quarantined(network, "a@null.example", "5.1.10")
    until_quarantined(network, "b@none.example", "5.1.2")
    until_quarantined(network, "c@loop.example", "5.4.6")
    until_quarantined(network, "d@back.example", "5.4.6")
    until_quarantined(network, "e@far.example", "550 5.7.1 we do not want it")


def test_what_is_not_known_now_waits(network, make_sink, dns):
    near = make_sink(NEAR, PORT)
    leave(network, "a@dark.example")
    network.until(lambda: "4.4.3" in rows(network, "a@dark.example")[0]["last_reply"], "why it waits")
    [row] = network.json("queue", "list", "--server", "*")
    assert row["home"] == "*" and row["recipient"] == "a@dark.example"
    network.until(lambda: network.relay("relay1")["outside"] == 1, "its count")
    assert network.relay("relay1")["unroutable"] == 0 and network.queued() == 0
    assert "1 in the queue of relay1 leave the network" in network.must("status")
    dns.names["dark.example"] = {"A": [NEAR]}
    until_taken(near, "a@dark.example")


def test_a_notice_reaches_who_sent(make_network, dns, make_sink):
    """What our server refuses is told outside; what cannot be told there is in quarantine, not told again."""
    near, server = make_sink(NEAR, PORT), make_sink()
    server.answers["RCPT"] = "550 5.1.1 nobody here"
    network = start(make_network, 'bounce = "always"', domains=())
    with smtplib.SMTP(*network.RELAY, timeout=20) as session:
        for path in ["one@far.example", "two@null.example"]:
            session.sendmail(path, [ALICE], f"Subject: from {path}\r\n\r\ntext\r\n")
    until_taken(near, "one@far.example")
    [(path, _, content)] = near.messages
    assert path == "" and b"Action: failed" in content and b"550 5.1.1 nobody here" in content
    until_quarantined(network, "two@null.example", "5.1.10")
    assert [row["sender"] for row in network.json("queue", "list")] == [""]


def test_an_answer_that_does_not_validate_is_none(make_network, make_sink, dns, scratch):
    near = make_sink(NEAR, PORT)
    scratch.joinpath("root.ds").write_text(". IN DS 20326 8 2 " + "0" * 64 + "\n")
    network = start(make_network, 'trust_anchor = "root.ds"')
    leave(network, "a@far.example")
    network.until(lambda: "4.4.3" in rows(network, "a@far.example")[0]["last_reply"], "why it waits")
    assert not near.sessions


def test_by_a_smarthost(make_network, dns, make_sink):
    far = make_sink(FAR, PORT)
    network = start(make_network, f'smarthost = "mx2.far.example:{PORT}"')
    leave(network, "a@far.example", "b@none.example")
    until_taken(far, "a@far.example", "b@none.example")
    assert not [name for name, rtype in dns.asked if rtype == 15]


def test_nobody_is_relayed_for(network):
    """Whatever a client says: mail for others is not ours to send."""
    with smtplib.SMTP(*network.RELAY, timeout=20) as session:
        session.ehlo()
        session.mail("")
        for path in ["x@elsewhere.example", "*@*", "x@*", "@far.example:x@elsewhere.example", "x%elsewhere.example@relay1",
                     "\"x@elsewhere.example\"@[192.0.2.1]", "x@[192.0.2.1]", "elsewhere.example!x"]:
            code, text = session.docmd(f"RCPT TO:<{path}>")
            assert code // 100 == 5, f"{path}: {code} {text}"
