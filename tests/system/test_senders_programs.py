"""Programs that send mail to a relay: msmtp, smtp-source. (swaks, curl: test_bad_input_smtp.py, test_tls.py,
test_readers_programs.py; Postfix: root/.)"""

import subprocess

import pytest
import wait
from network import ALICE, BackupMx

LIMIT_S = 60
MESSAGES, SESSIONS, BYTES = 200, 10, 4096


@pytest.fixture
def relay(make_network, sink, authority):
    authority.sign("relay", ["relay1.example.test"])
    return make_network(BackupMx, "backup-mx.conf", [
        ('site "home" { }', 'site "home" { }\ncertificate "relay" { certificate = "relay.pem"  key = "relay.key" }'),
        ('hostname = "relay1.example.test"', 'hostname = "relay1.example.test"  certificates = {"relay"}')]).start()


def run(*argv, text=None):
    done = subprocess.run([str(word) for word in argv], input=text, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


@pytest.mark.parametrize("tls, protocol", [(["--tls=off"], b" with ESMTP "), (["--tls=on", "--tls-starttls=on"], b" with ESMTPS ")],
                         ids=["in plain text", "by STARTTLS"])
def test_msmtp(relay, sink, authority, tls, protocol):
    trust = [f"--tls-trust-file={authority.file}", "--tls-host-override=relay1.example.test"] if "--tls=on" in tls else []
    text = f"From: sender@outside.test\nTo: {ALICE}\nSubject: by msmtp\n\n.\n.dot\ntext\n"
    run("msmtp", f"--host={relay.RELAY[0]}", f"--port={relay.RELAY[1]}", *tls, *trust, "--auth=off",
        "--from=sender@outside.test", ALICE, text=text)
    wait.until(lambda: sink.messages, "the message")
    sender, recipients, content = sink.messages[0]
    assert (sender, recipients) == ("sender@outside.test", [ALICE])
    assert protocol in b" ".join(content.split()) and content.endswith(b"\r\n\r\n.\r\n.dot\r\ntext\r\n")


@pytest.mark.parametrize("kept", [["-d"], []], ids=["sessions that are kept", "a session for each"])
def test_smtp_source(relay, sink, kept):
    run("smtp-source", *kept, "-s", SESSIONS, "-m", MESSAGES, "-l", BYTES, "-f", "sender@outside.test", "-t", ALICE,
        f"{relay.RELAY[0]}:{relay.RELAY[1]}")
    wait.until(lambda: len(sink.messages) == MESSAGES, "all of them")
    relay.until(lambda: relay.queued() == 0, "an empty queue")
    assert len(sink.messages) == MESSAGES and min(map(len, sink.contents())) >= BYTES
