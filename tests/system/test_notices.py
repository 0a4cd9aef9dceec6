"""What senders are told (RFC 3461, 3464): where it is asked for or allowed, in a form that programs read, and once."""

import email
import email.policy
import signal
import smtplib
import threading

import pytest
import reader
import sender
from network import ALICE, BOB, BackupMx, TwoSite
from tracer import COMMITTER_OF_QUEUE

TEXT = f"From: <{BOB}>\r\nSubject: lunch\r\nMessage-ID: <lunch@example.test>\r\n\r\nat noon\r\n"
OTHER = '''server "other" {
    kind = "external"  site = "east"  hostname = "other.example.test"  address = {"127.1.0.99"}  smtp_port = 2600
    failover { mode = "manual" }
}

domain "other.test" { server = "other"  relays = {"relay-east"}  recipients = "any" }

domain "example.test" {'''
EAST = 'listen  = {"127.1.0.2:2525"}\n'


@pytest.fixture
def make_relay(make_network):
    """make_relay(keys): one relay before an external server, with these keys of its own."""
    return lambda keys: make_network(BackupMx, "backup-mx.conf", [('expire = "5d"', keys)]).start()


@pytest.fixture
def two(make_network, make_sink):
    """The quick-start network, and a server of another make that refuses all; the first relay tells users."""
    sink = make_sink("127.1.0.99", 2600)
    sink.answers["RCPT"] = "550 5.1.1 nobody here"
    changes = [('domain "example.test" {', OTHER), (EAST, EAST + '    bounce = "authenticated"\n')]
    return make_network(TwoSite, "two-site.conf", changes).start()


def send(place, to, reverse_path=BOB, mail=(), rcpt=()):
    with smtplib.SMTP(*place, timeout=sender.SMTP_LIMIT_S) as session:
        assert session.sendmail(reverse_path, [to], TEXT, mail_options=mail, rcpt_options=rcpt) == {}


def refuse_alice(sink):
    sink.answers["RCPT"] = lambda line: "550 5.1.1 no alice here" if ALICE in line else "250 2.1.5 ok"


def reports(sink):
    """What came with a null reverse-path: (recipients, message)."""
    with sink.changed:
        return [(to, parsed(content)) for path, to, content in sink.messages if path == ""]


def parsed(content):
    return email.message_from_bytes(content, policy=email.policy.default)


def fields(report):
    """Of the message, and of the first recipient."""
    assert report.get_content_type() == "multipart/report" and report.get_param("report-type") == "delivery-status"
    assert report["Auto-Submitted"] == "auto-replied" and report["From"].addresses[0].username == "MAILER-DAEMON"
    assert not report.defects and not any(part.defects for part in report.walk())
    status = report.get_payload()[1]
    assert status.get_content_type() == "message/delivery-status"
    return status.get_payload()[0], status.get_payload()[1]


def quarantined(network):
    return [d for d in network.json("queue", "list") if d["state"] == "quarantined"]


def test_a_refusal_goes_back_to_its_sender(make_relay, make_sink):
    sink = make_sink()
    refuse_alice(sink)
    network = make_relay('expire = "5d"  bounce = "always"')
    send(BackupMx.RELAY, ALICE, mail=["RET=FULL", "ENVID=lunch+2B1"], rcpt=["ORCPT=rfc822;Ali+2Bce@example.test"])
    network.until(lambda: reports(sink), "a report")
    [(to, report)] = reports(sink)
    about_message, about_recipient = fields(report)
    assert to == [BOB] and report["To"].addresses[0].addr_spec == BOB
    assert about_message["Reporting-MTA"] == "dns;relay1.example.test"
    assert about_message["Original-Envelope-Id"] == "lunch+1"
    assert about_recipient["Original-Recipient"] == "rfc822;Ali+ce@example.test"
    assert about_recipient["Final-Recipient"] == f"rfc822;{ALICE}"
    assert about_recipient["Action"] == "failed" and about_recipient["Status"] == "5.1.1"
    assert about_recipient["Remote-MTA"] == "dns;mail1.example.test"
    assert "550 5.1.1 no alice here" in about_recipient["Diagnostic-Code"]
    assert "no alice here" in report.get_payload()[0].get_content()
    returned = report.get_payload()[2]
    assert returned.get_content_type() == "message/rfc822"
    assert returned.get_content()["Message-ID"] == "<lunch@example.test>" and "at noon" in str(returned)
    network.until(lambda: network.server()["queued"] == 0, "an empty queue")
    about = about_message["X-Holdfast-Custody-Id"]
    assert [d["state"] for d in network.json("trace", about)] == ["bounced"]
    assert not quarantined(network) and len(reports(sink)) == 1


def test_the_header_alone_goes_back_when_no_more_is_asked(make_relay, make_sink):
    sink = make_sink()
    refuse_alice(sink)
    network = make_relay('expire = "5d"  bounce = "always"')
    send(BackupMx.RELAY, ALICE)
    network.until(lambda: reports(sink), "a report")
    [(_, report)] = reports(sink)
    returned = report.get_payload()[2]
    assert returned.get_content_type() == "text/rfc822-headers"
    assert "Subject: lunch" in returned.get_content() and "at noon" not in str(report)


def test_who_wants_to_hear_nothing_hears_nothing(make_relay, make_sink):
    sink = make_sink()
    refuse_alice(sink)
    network = make_relay('expire = "5d"  bounce = "always"')
    send(BackupMx.RELAY, ALICE, rcpt=["NOTIFY=NEVER"])
    send(BackupMx.RELAY, ALICE, rcpt=["NOTIFY=SUCCESS,DELAY"])
    send(BackupMx.RELAY, ALICE, reverse_path="")
    network.until(lambda: len(quarantined(network)) == 3, "all three in quarantine")
    send(BackupMx.RELAY, BOB)  # had there been a report, it would have been sent before
    network.until(lambda: sink.messages, "another message")
    assert not reports(sink)


def test_what_expires_amid_its_delivery_is_not_bounced(make_relay, make_sink):
    sink = make_sink()
    taken, goes_on = threading.Event(), threading.Event()

    def late(_):
        taken.set()
        goes_on.wait()
        return "250 2.0.0 ok"

    sink.answers["."] = late
    network = make_relay('expire = "4s"  bounce = "always"')
    network.until(lambda: network.server()["state"] == "operational", "a server that works")
    send(BackupMx.RELAY, ALICE)
    try:
        network.until(taken.is_set, "its transmission")
        [expired] = network.until(lambda: quarantined(network), "its end by time")
    finally:
        goes_on.set()
    network.until(lambda: [d["state"] for d in network.json("trace", expired["id"])] == ["delivered"], "its end by the answer")
    network.until(lambda: network.server()["queued"] == 0, "an empty queue")
    assert len(sink.messages) == 1 and not reports(sink)


def test_what_expires_goes_back(make_relay, make_sink):
    network = make_relay('expire = "3s"  bounce = "always"')
    send(BackupMx.RELAY, ALICE)
    network.until(lambda: any(d["sender"] == "" for d in network.json("queue", "list")), "a report that waits")
    sink = make_sink()
    network.until(lambda: reports(sink) or quarantined(network), "its delivery, or its own end")
    for to, report in reports(sink):
        assert to == [BOB] and fields(report)[1]["Action"] == "failed" and fields(report)[1]["Status"] == "4.4.7"


def test_a_delay_is_told_once_to_who_asked(make_relay, make_sink):
    network = make_relay('expire = "5d"  delay_notice = "1s"')
    send(BackupMx.RELAY, ALICE, rcpt=["NOTIFY=DELAY"])
    send(BackupMx.RELAY, ALICE)
    network.until(lambda: any(d["sender"] == "" for d in network.json("queue", "list")), "a report that waits")
    network.signal_role("relay", "relay1", signal.SIGHUP)  # looks from the begin
    sink = make_sink()
    network.until(lambda: network.server()["queued"] == 0 and len(sink.messages) == 3, "all of it")
    [(to, report)] = reports(sink)
    about_recipient = fields(report)[1]
    assert to == [BOB] and about_recipient["Action"] == "delayed" and about_recipient["Status"].startswith("4.")
    assert about_recipient["Will-Retry-Until"]


def test_success_at_a_server_that_tells_nothing_is_relayed(make_relay, make_sink):
    sink = make_sink()
    network = make_relay('expire = "5d"')
    send(BackupMx.RELAY, ALICE, mail=["RET=HDRS"], rcpt=["NOTIFY=SUCCESS"])
    network.until(lambda: reports(sink), "a report")
    [(to, report)] = reports(sink)
    assert to == [BOB] and fields(report)[1]["Action"] == "relayed" and fields(report)[1]["Status"] == "2.0.0"
    assert "NOTIFY" not in "".join(sink.commands("RCPT"))


def test_success_is_the_next_servers_where_it_tells(make_relay, make_sink):
    sink = make_sink()
    sink.answers["EHLO"] = "250-mail1.example.test\r\n250 DSN"
    network = make_relay('expire = "5d"')
    send(BackupMx.RELAY, ALICE, mail=["RET=HDRS", "ENVID=x+2By"], rcpt=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;a@b"])
    send(BackupMx.RELAY, BOB)
    network.until(lambda: len(sink.messages) == 2 and network.server()["queued"] == 0, "both messages")
    assert f"MAIL FROM:<{BOB}> SIZE" not in sink.commands("MAIL")[0]
    assert sink.commands("MAIL")[0].endswith(" RET=HDRS ENVID=x+2By")
    assert sink.commands("RCPT")[0].endswith(" NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a@b")
    assert sink.commands("RCPT")[1] == f"RCPT TO:<{BOB}>"
    assert not reports(sink)


def submit(network, to, rcpt=()):
    with smtplib.SMTP(network.HOME, network.SUBMISSION, timeout=sender.SMTP_LIMIT_S) as session:
        session.login(ALICE, reader.PASSWORD)
        assert session.sendmail(ALICE, [to], TEXT, rcpt_options=rcpt) == {}


def test_users_are_told_and_strangers_are_not(two):
    send((two.RELAY_EAST, two.SMTP), "stranger@other.test", reverse_path=ALICE)
    two.until(lambda: len(quarantined(two)) == 1, "the stranger's mail in quarantine")
    submit(two, "user@other.test")
    two.until(lambda: two.imap_messages(), "a report")
    [report] = [parsed(content) for content in two.imap_messages()]
    assert fields(report)[1]["Final-Recipient"] == "rfc822;user@other.test"
    assert [d["recipient"] for d in quarantined(two)] == ["stranger@other.test"]


def test_a_user_who_names_a_stranger_has_nobody_told(two):
    """A user, or who has stolen a password, may name any sender."""
    with smtplib.SMTP(two.HOME, two.SUBMISSION, timeout=sender.SMTP_LIMIT_S) as session:
        session.login(ALICE, reader.PASSWORD)
        assert session.sendmail("victim@elsewhere.test", ["user@other.test"], TEXT) == {}
    two.until(lambda: [d["recipient"] for d in quarantined(two)] == ["user@other.test"], "the mail in quarantine")


def test_a_builtin_servers_success_is_delivered(two):
    submit(two, BOB, rcpt=["NOTIFY=SUCCESS"])
    two.until(lambda: two.imap_messages(), "a report")
    [report] = [parsed(content) for content in two.imap_messages()]
    assert fields(report)[1]["Action"] == "delivered" and len(two.imap_messages(BOB)) == 1


def was_taken(envelope_id):
    try:
        send(BackupMx.RELAY, ALICE, mail=[f"ENVID={envelope_id}"])
        return True
    except (OSError, smtplib.SMTPException):
        return False


def told_of(sink):
    """By envelope: its reports, as their Message-IDs name them. A server may get one twice, not two."""
    told = {}
    for _, report in reports(sink):
        told.setdefault(fields(report)[0]["Original-Envelope-Id"], set()).add(report["Message-ID"])
    return told


def test_each_is_told_once_wherever_the_relay_is_killed(make_relay, make_sink, make_tracer):
    """At each of the first syncs: of the accept, of the refusal with its debt, of the report, of the report's end."""
    sink = make_sink()
    refuse_alice(sink)
    network = make_relay('expire = "5d"  bounce = "always"')
    taken = []
    for when in range(1, 9):
        network.until(lambda: was_taken("before"), "a relay that takes mail")
        killer = make_tracer(network.role_pid("relay", "relay1"), f"signal=KILL:when={when}",
                             thread=COMMITTER_OF_QUEUE)
        while killer.process.poll() is None:
            name = f"n{when}.{len(taken)}"
            if was_taken(name):
                taken.append(name)
        killer.judge_kill(when)
    network.until(lambda: network.server()["queued"] == 0 and all(name in told_of(sink) for name in taken),
                  "a report of each")
    assert taken and not quarantined(network)
    assert all(len(ids) == 1 for name, ids in told_of(sink).items() if name != "before")
