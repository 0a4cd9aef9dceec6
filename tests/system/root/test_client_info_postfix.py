"""Debian's Postfix as the server that is told of the client: by XFORWARD for its log, by XCLIENT for all that it judges by."""

import re

import pytest
import wait
from client import Client
from network import ALICE, BackupMx
from root.postfix_peer import Postfix

SENDER = "127.0.0.7"


@pytest.fixture
def start_postfix(scratch):
    made = []
    scratch.chmod(0o755)  # its processes have users of their own

    def start(settings):
        made.append(Postfix(scratch / "postfix", *BackupMx.SERVER, users=["alice"], settings=settings).start())
        return made[-1]

    yield start
    for peer in made:
        peer.stop()


def deliver(make_network, postfix, how):
    network = make_network(BackupMx, "backup-mx.conf", [
        ('kind = "external"', f'kind = "external"  client_info = "{how}"' if how else 'kind = "external"')]).start()
    with Client(network.RELAY, SENDER) as session:
        session.reply()
        session.say("EHLO client.outside.test")
        assert session.send(ALICE).startswith("250 ")
    wait.until(lambda: "status=sent" in postfix.log(), "the message")
    return postfix.log()


def test_by_default_its_log_names_the_client(make_network, start_postfix):
    log = deliver(make_network, start_postfix("smtpd_authorized_xforward_hosts = 127.0.0.0/8\n"), None)
    assert f"client=localhost[127.0.0.1], orig_client=unknown[{SENDER}]" in log


def test_its_restrictions_judge_the_client(make_network, start_postfix):
    settings = f"""smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_client_restrictions = check_client_access inline:{{ {{{SENDER}=WARN it is judged}} }}
"""
    log = deliver(make_network, start_postfix(settings), "xclient")
    assert f"client=unknown[{SENDER}]" in log
    assert f"unknown[{SENDER}]: it is judged;" in log and "helo=<client.outside.test>" in log


def test_a_client_that_it_refuses_holds_up_nobody(make_network, start_postfix):
    """Restrictions that do not wait for RCPT refuse at EHLO: the message is judged, not the server."""
    postfix = start_postfix("""smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_delay_reject = no
smtpd_helo_required = yes
smtpd_helo_restrictions = check_helo_access inline:{ { bad.outside.test=REJECT }, { later.outside.test=DEFER } }
""")
    network = make_network(BackupMx, "backup-mx.conf", [
        ('kind = "external"', 'kind = "external"  client_info = "xclient"')]).start()
    for helo in ("bad.outside.test", "later.outside.test", "good.outside.test"):
        with Client(network.RELAY, SENDER) as session:
            session.reply()
            session.say(f"EHLO {helo}")
            assert session.send(ALICE).startswith("250 ")
    wait.until(lambda: "status=sent" in postfix.log(), "the good client's message")
    for became, reply in (("quarantined", "554 5.7.1 <bad.outside.test>"), ("deferred", "450 4.7.1 <later.outside.test>")):
        network.until(lambda: re.search(rf'{became} .*reply="{re.escape(reply)}', network.log_path.read_text()), reply)


def test_who_is_not_offered_it_delivers_all_the_same(make_network, start_postfix):
    log = deliver(make_network, start_postfix(""), "xclient")
    assert "client=localhost[127.0.0.1]" in log and SENDER not in log
