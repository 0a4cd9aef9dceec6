"""TLS from the first byte (RFC 8314): submissions, IMAPS, POP3S; openssl, curl, swaks and Python's libraries are the clients."""

import imaplib
import poplib
import re
import socket
import ssl
import subprocess

import pytest
import reader
import wait
from network import ALICE, TwoSite

LIMIT_S = 20
SUBMISSIONS, IMAPS, POP3S = 2465, 2993, 2995


@pytest.fixture
def network(make_network, authority):
    authority.sign("mail", ["mail1.example.test"])
    return make_network(TwoSite, "two-site.conf", [
        ('site "west" { }', 'site "west" { }\ncertificate "mail" { certificate = "mail.pem"  key = "mail.key" }'),
        ('hostname = "mail1.example.test"', 'hostname = "mail1.example.test"  certificates = {"mail"}\n'
         f'    proxy_from = {{"127.0.0.9"}}\n'
         f'    submissions_port = {SUBMISSIONS}  imaps_port = {IMAPS}  pop3s_port = {POP3S}')]).start()


def log_of(network):
    """The instance's; it has a file of its own."""
    return "".join(path.read_text(errors="replace") for path in (network.state_dir / "log").glob("*"))


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def submit(network):
    run("swaks", "--server", f"{network.HOME}:{SUBMISSIONS}", "--tls-on-connect", "--auth", "PLAIN", "--auth-user", ALICE,
        "--auth-password", reader.PASSWORD, "--from", ALICE, "--to", ALICE)
    network.until(network.imap_messages, "the message")


def context(authority):
    made = ssl.create_default_context(cafile=authority.file)
    made.check_hostname = False  # it is connected to by address
    return made


def test_submissions(network):
    submit(network)
    head = re.sub(r"\r\n[ \t]+", " ", network.imap_messages()[-1].decode())
    assert re.search(r"\(using TLSv1\.3 \w+\) by mail1.example.test .* with ESMTPSA", head), head


def test_curl_reads(network, authority):
    submit(network)
    for url in (f"imaps://mail1.example.test:{IMAPS}/INBOX;MAILINDEX=1", f"pop3s://mail1.example.test:{POP3S}/1"):
        assert "Received:" in run("curl", "--silent", "--show-error", "--cacert", authority.file, "--connect-to",
                                  f"mail1.example.test::{network.HOME}:", "--user", f"{ALICE}:{reader.PASSWORD}", url)


def test_libraries_read(network, authority):
    with imaplib.IMAP4_SSL(network.HOME, IMAPS, ssl_context=context(authority), timeout=LIMIT_S) as session:
        assert "STARTTLS" not in session.capabilities and "AUTH=PLAIN" in session.capabilities
        session.login(ALICE, reader.PASSWORD)
        assert session.select()[0] == "OK"
    session = poplib.POP3_SSL(network.HOME, POP3S, context=context(authority), timeout=LIMIT_S)
    assert "STLS" not in session.capa()
    session.user(ALICE)
    session.pass_(reader.PASSWORD)
    session.quit()


@pytest.mark.parametrize("port, greeting", [(SUBMISSIONS, "220 "), (IMAPS, "* OK "), (POP3S, "+OK ")])
def test_openssl_is_greeted_under_tls(network, authority, port, greeting):
    done = subprocess.run(["openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", authority.file, "-servername",
                           "mail1.example.test", "-connect", f"{network.HOME}:{port}"], input="QUIT\r\na LOGOUT\r\n",
                          capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith(greeting), done.stdout + done.stderr


@pytest.mark.parametrize("port", [SUBMISSIONS, IMAPS, POP3S])
def test_plain_text_is_not_served(network, port):
    with socket.create_connection((network.HOME, port), timeout=LIMIT_S) as connection:
        connection.sendall(b"EHLO client.outside.test\r\nQUIT\r\n")
        assert connection.makefile("rb").read()[:1] in (b"", b"\x15")  # an alert at most
    wait.until(lambda: "TLS not established" in log_of(network), "the line in the log")


def test_behind_a_proxy(network, authority):
    """The header comes first, then TLS, be they in one segment or not."""
    with socket.create_connection((network.HOME, IMAPS), timeout=LIMIT_S, source_address=("127.0.0.9", 0)) as plain:
        plain.sendall(b"PROXY TCP4 192.0.2.77 127.0.0.1 4711 993\r\n")
        with context(authority).wrap_socket(plain, server_hostname="mail1.example.test") as connection:
            lines = connection.makefile("rb")
            assert b"AUTH=PLAIN" in lines.readline()  # it may: what it sends is safe
            connection.sendall(b"a LOGIN alice@example.test wrong\r\n")
            assert lines.readline().startswith(b"a NO ")
    wait.until(lambda: re.search(r"client=192\.0\.2\.77", log_of(network)), "the client in the log")
