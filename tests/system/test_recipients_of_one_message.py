"""Several recipients of one message: one answer must hold for all of them."""

import smtplib

import pytest
import reader
import sender
from network import ALICE, TwoSite

OTHER = '''server "other" {
    kind = "external"  site = "east"  hostname = "other.example.test"  address = {"127.1.0.99"}  smtp_port = 2600
    failover { mode = "manual" }
}

domain "other.test" {
    server = "other"  relays = {"relay-east"}  recipients = "list"  recipients_file = "other.list"
}

domain "example.test" {'''


@pytest.fixture
def network(make_network, scratch):
    (scratch / "other.list").write_text("known@other.test\n")
    return make_network(TwoSite, "two-site.conf", [('domain "example.test" {', OTHER)]).start()


def submit(network, *recipients):
    with smtplib.SMTP(network.HOME, network.SUBMISSION, timeout=sender.SMTP_LIMIT_S) as session:
        session.login(ALICE, reader.PASSWORD)
        return session.sendmail(ALICE, recipients, "Subject: to several\r\n\r\nhello\r\n")


def test_a_submission_is_taken_for_all_its_recipients_or_for_none(network):
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        submit(network, ALICE, "nobody@other.test")
    assert refusal.value.smtp_code == 550
    assert b"<nobody@other.test>" in refusal.value.smtp_error
    assert submit(network, ALICE, "known@other.test") == {}
    network.until(lambda: len(network.imap_messages()) >= 1, "the message that was taken")
    assert len(network.imap_messages()) == 1
    assert [row["recipient"] for row in network.json("queue", "list")] == ["known@other.test"]


def test_spellings_of_one_mailbox_get_one_copy(network):
    with smtplib.SMTP(network.HOME, network.SMTP, timeout=sender.SMTP_LIMIT_S) as session:
        refused = session.sendmail("a@b.test", [ALICE, ALICE.upper(), "alice+lists@example.test"], "Subject: one\r\n\r\nx\r\n")
    assert refused == {}
    assert len(network.imap_messages()) == 1


def test_a_recipient_that_is_named_again_is_one_delivery(network):
    """At the relay, whose server is not there: each spelling of the domain, and each local part as it stands."""
    named = ["Known@other.test", "Known@other.test", "Known@OTHER.test", "known@other.test"]
    with smtplib.SMTP(network.RELAY_EAST, network.SMTP, timeout=sender.SMTP_LIMIT_S) as session:
        assert session.sendmail("a@b.test", named, "Subject: one\r\n\r\nx\r\n") == {}
    assert sorted(row["recipient"] for row in network.json("queue", "list")) == ["Known@other.test", "known@other.test"]
