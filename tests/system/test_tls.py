"""STARTTLS as the server: swaks, openssl s_client, msmtp, curl and Python's libraries are the clients."""

import imaplib
import poplib
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess

import certificates
import pytest
import reader
import wait
from network import ALICE, TwoSite

LIMIT_S = 20
RELAY = (TwoSite.RELAY_EAST, TwoSite.SMTP)
HOME = (TwoSite.HOME, TwoSite.SMTP)


@pytest.fixture
def network(make_network, authority):
    """Relay and server in the east have two certificates."""
    authority.sign("relay", ["relay-east.example.test"])
    authority.sign("mail", ["mail1.example.test", "*.mail.example.test"], key="rsa:2048")
    both = 'certificates = {"relay", "mail"}'
    return make_network(TwoSite, "two-site.conf", [
        ('site "west" { }', 'site "west" { }\ncertificate "relay" { certificate = "relay.pem"  key = "relay.key" }\n'
         'certificate "mail" { certificate = "mail.pem"  key = "mail.key" }'),
        ('hostname = "relay-east.example.test"', f'hostname = "relay-east.example.test"  {both}'),
        ('hostname = "mail1.example.test"', f'hostname = "mail1.example.test"  {both}')]).start()


def swaks(place, *options):
    done = subprocess.run(["swaks", "--server", "%s:%d" % place, "--to", ALICE, "--from", "sender@outside.test",
                           *options], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def received_lines(network):
    """Of the messages that Alice has."""
    network.until(network.imap_messages, "a message")
    content = network.imap_messages()[-1].decode()
    head = re.sub(r"\r\n[ \t]+", " ", content.partition("\r\n\r\n")[0])
    return [line for line in head.split("\r\n") if line.startswith("Received:")]


def test_swaks_and_the_trace_of_it(network):
    swaks(RELAY, "--tls")
    between_ours, from_outside = received_lines(network)
    assert re.search(r"\(using TLSv1\.3 TLS_\w+\) by relay-east.example.test \(Holdfast\) with ESMTPS ", from_outside)
    assert re.search(r"\(using TLSv1\.3 TLS_\w+\) by mail1.example.test \(Holdfast\) with ESMTPS ", between_ours)
    delivered = re.search(r"delivered .*reply=.*", network.log_path.read_text(errors="replace")).group()
    assert "Accepted as " in delivered  # with its custody id: both have proved themselves inside of TLS


def test_swaks_to_the_server_itself(network):
    assert "AUTH" not in swaks(HOME, "--tls", "--tls-protocol", "tlsv1_2")
    assert re.search(r"\(using TLSv1\.2 ECDHE-\S+\) by mail1.example.test", received_lines(network)[-1])


@pytest.mark.parametrize("place", [RELAY, HOME], ids=["relay", "server"])
def test_the_name_chooses_the_certificate(network, place):
    assert certificates.subject_shown(*place, "relay-east.example.test") == "relay"
    assert certificates.subject_shown(*place, "mail1.example.test") == "mail"
    assert certificates.subject_shown(*place, "in.mail.example.test") == "mail"
    assert certificates.subject_shown(*place, "other.test") == "relay"
    assert certificates.subject_shown(*place, None) == "relay"


def test_a_client_that_verifies(network, authority):
    context = ssl.create_default_context(cafile=authority.file)
    context.check_hostname = False
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with smtplib.SMTP(*RELAY, timeout=LIMIT_S) as session:
        session.ehlo("client.example")
        assert session.has_extn("starttls")
        session.starttls(context=context)
        session.ehlo("client.example")
        assert not session.has_extn("starttls")
        assert session.docmd("STARTTLS")[0] == 503
        with pytest.raises(smtplib.SMTPServerDisconnected):
            session.sock.unwrap()  # says its end
            session.noop()


def renew(authority, name, hosts):
    """As a program that renews certificates does: both files by rename."""
    paths = authority.sign(f"{name}-next", hosts)
    for path, suffix in zip(paths, ("pem", "key")):
        shutil.move(path, authority.folder / f"{name}.{suffix}")


def test_a_new_certificate_without_a_restart(network, authority):
    with smtplib.SMTP(*RELAY, timeout=LIMIT_S) as session:
        session.ehlo("client.example")
        session.starttls()
        renew(authority, "relay", ["relay-east.example.test"])
        for place in (RELAY, HOME):
            wait.until(lambda: certificates.subject_shown(*place, "relay-east.example.test") == "relay-next",
                       f"the new certificate at {place}")
        assert session.ehlo("client.example")[0] == 250  # it goes on with what it has


def test_a_broken_file_leaves_the_old_one_and_sighup_takes_another_file(network, authority, scratch):
    (scratch / "relay.pem").write_text("broken\n")
    wait.until(lambda: "certificate not read, the old one is used" in network.log_path.read_text(errors="replace"),
               "the warning")
    assert certificates.subject_shown(*RELAY, "relay-east.example.test") == "relay"
    authority.sign("other", ["relay-east.example.test"])
    text = network.config.read_text()
    network.config.write_text(text.replace("relay.pem", "other.pem").replace("relay.key", "other.key"))
    network.parents[0].send_signal(signal.SIGHUP)
    wait.until(lambda: certificates.subject_shown(*RELAY, "relay-east.example.test") == "other", "the other file")


def plain(place):
    connection = socket.create_connection(place, timeout=LIMIT_S)
    lines = connection.makefile("rb")
    assert lines.readline().startswith(b"220 ")
    return connection, lines


def say(connection, lines, what):
    connection.sendall(what + b"\r\n")
    while (line := lines.readline())[3:4] == b"-":
        pass
    return line


def test_what_is_injected_behind_starttls_is_never_served(network):
    """CVE-2011-0411: in one piece with the command, or after it instead of a handshake."""
    connection, lines = plain(RELAY)
    assert say(connection, lines, b"EHLO a").startswith(b"250 ")
    connection.sendall(b"STARTTLS\r\nRSET\r\nMAIL FROM:<injected@outside.test>\r\n")
    assert lines.readline().startswith(b"554 5.5.0 ") and lines.readline() == b""
    connection, lines = plain(RELAY)
    assert say(connection, lines, b"EHLO a").startswith(b"250 ")
    assert say(connection, lines, b"STARTTLS").startswith(b"220 2.0.0 ")
    connection.sendall(b"MAIL FROM:<injected@outside.test>\r\nRCPT TO:<alice@example.test>\r\n")
    rest = lines.read()
    assert rest[:1] in (b"", b"\x15") and b"250" not in rest  # an alert at most
    wait.until(lambda: "TLS not established" in network.log_path.read_text(errors="replace"), "the line in the log")


def test_submission(network):
    """Its passwords go under TLS, too (off loopback only there: tests/system/root)."""
    swaks((TwoSite.HOME, TwoSite.SUBMISSION), "--tls", "--auth", "PLAIN", "--auth-user", ALICE, "--auth-password",
          reader.PASSWORD, "--from", ALICE)
    lines = received_lines(network)
    assert any(re.search(r"\(using TLSv1\.3 \w+\) by mail1.example.test .* with ESMTPSA", line) for line in lines), lines


def test_lmtp(network):
    swaks((TwoSite.HOME, TwoSite.LMTP), "--protocol", "LMTP", "--tls")
    assert " with LMTPS" in received_lines(network)[-1]


def test_msmtp_that_verifies(network, authority):
    """A user's program: it wants the certificate's name, and a password."""
    message = f"From: {ALICE}\nTo: {ALICE}\nSubject: by msmtp\n\ntext\n"
    done = subprocess.run(["msmtp", f"--host={TwoSite.HOME}", f"--port={TwoSite.SUBMISSION}", "--tls=on",
                           "--tls-starttls=on", f"--tls-trust-file={authority.file}", "--tls-host-override=mail1.example.test",
                           "--auth=plain", f"--user={ALICE}", f"--passwordeval=echo {reader.PASSWORD}", f"--from={ALICE}",
                           ALICE], input=message, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert any(" with ESMTPSA" in line for line in received_lines(network))


def verifying(authority):
    context = ssl.create_default_context(cafile=authority.file)
    context.check_hostname = False  # it is connected to by address
    return context


def test_readers(network, authority):
    with imaplib.IMAP4(TwoSite.HOME, TwoSite.IMAP, timeout=LIMIT_S) as session:
        assert "STARTTLS" in session.capabilities
        session.starttls(verifying(authority))
        assert "STARTTLS" not in session.capabilities and "AUTH=PLAIN" in session.capabilities
        session.login(ALICE, reader.PASSWORD)
        assert session.select()[0] == "OK"
    session = poplib.POP3(TwoSite.HOME, TwoSite.POP3, timeout=LIMIT_S)
    session.stls(verifying(authority))
    assert "STLS" not in session.capa()
    session.user(ALICE)
    session.pass_(reader.PASSWORD)
    session.quit()


def test_curl_reads_by_imap_and_pop3_under_tls(network, authority):
    swaks(RELAY)
    network.until(network.imap_messages, "the message")
    for url in (f"imap://mail1.example.test:{TwoSite.IMAP}/INBOX;MAILINDEX=1",
                f"pop3://mail1.example.test:{TwoSite.POP3}/1"):
        done = subprocess.run(["curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", authority.file, "--connect-to",
                               f"mail1.example.test::{TwoSite.HOME}:", "--user", f"{ALICE}:{reader.PASSWORD}", url],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "Received:" in done.stdout, done.stderr


@pytest.mark.parametrize("port, pieces, end", [
    (TwoSite.IMAP, b"a STARTTLS\r\nb CAPABILITY\r\n", b"* BYE "), (TwoSite.POP3, b"STLS\r\nCAPA\r\n", b"-ERR ")],
                         ids=["imap", "pop3"])
def test_what_is_injected_behind_a_readers_starttls_is_never_served(network, port, pieces, end):
    with socket.create_connection((TwoSite.HOME, port), timeout=LIMIT_S) as connection:
        lines = connection.makefile("rb")
        lines.readline()
        connection.sendall(pieces)
        assert lines.readline().startswith(end) and lines.readline() == b""


@pytest.mark.parametrize("port, command, end", [
    (TwoSite.IMAP, b"a STARTTLS\r\n", b"a OK "), (TwoSite.POP3, b"STLS\r\n", b"+OK ")], ids=["imap", "pop3"])
def test_a_reader_who_goes_on_in_plain_text_is_not_served(network, port, command, end):
    with socket.create_connection((TwoSite.HOME, port), timeout=LIMIT_S) as connection:
        lines = connection.makefile("rb")
        lines.readline()
        connection.sendall(command)
        assert lines.readline().startswith(end)
        connection.sendall(b"b CAPABILITY\r\nCAPA\r\nUSER alice@example.test\r\n")
        rest = lines.read()
        assert rest[:1] in (b"", b"\x15") and b"OK" not in rest  # an alert at most
