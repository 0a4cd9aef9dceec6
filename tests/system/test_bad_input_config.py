"""A wrong configuration, a port in use, a folder that cannot be written: who tried what, and where it is written."""

import socket
import sqlite3

import certificates
import program
import pytest
from network import BackupMx


@pytest.fixture
def config(scratch):
    return scratch / "holdfast.conf"


def check(config, text):
    config.write_text(text)
    return program.holdfast("check-config", config=config, state_dir=config.parent / "state")


def example():
    return (program.EXAMPLES / "backup-mx.conf").read_text()


@pytest.mark.parametrize("name", ["two-site.conf", "backup-mx.conf"])
def test_the_examples_are_good(name, scratch):
    done = program.holdfast("check-config", config=program.EXAMPLES / name, state_dir=scratch / "state")
    assert done.returncode == program.DONE, done.stderr


def test_an_unknown_key(config):
    text = example().replace('retry = "1s"', 'retries = "1s"')
    line = 1 + next(i for i, found in enumerate(text.splitlines()) if "retries" in found)
    done = check(config, text)
    assert done.returncode == program.FAILED
    assert f"{config}:{line}: " in done.stderr and "retries" in done.stderr


def test_a_duplicate_name(config):
    text = example() + 'site "home" { }\n'
    done = check(config, text)
    assert done.returncode == program.FAILED
    assert f"{config}:{len(text.splitlines())}: " in done.stderr and "home" in done.stderr


def test_all_findings_at_once(config):
    text = example().replace('retry = "1s"', 'retries = "1s"') + 'site "home" { }\n'
    done = check(config, text)
    assert "retries" in done.stderr and "home" in done.stderr


def test_a_syntax_error(config):
    done = check(config, 'store {\n  url = \n}\n')
    assert done.returncode == program.FAILED
    assert f"{config}:3: " in done.stderr or f"{config}:2: " in done.stderr


@pytest.mark.parametrize("change, words", [
    (('store { url = "sqlite:store" }', 'store { url = "sqlite:store" }\nnode "far" { site = "home"  '
      'roles = {"director"}  host = "another" }'), "one machine"),
    (('failover { mode = "manual" }', 'failover { mode = "automatic"  create { site = "home"  address = "127.0.0.9"  '
      'fence = "epoch" } }'), "external"),
    (('address = {"127.0.0.1"}  listen = {"127.0.0.1:2525"}', 'address = {"127.0.0.1"}  '
      'listen = {"127.0.0.1:5300"}'), "5300"),
])
def test_what_cannot_be_safe(config, change, words):
    text = example()
    assert change[0] in text
    done = check(config, text.replace(*change))
    assert done.returncode == program.FAILED
    assert f"{config}:" in done.stderr and words in done.stderr, done.stderr


MISSING = "is not there: make it, or name another"
OUTSIDE = [
    ('store { url = "sqlite:store" }', 'store { url = "sqlite:store" } users { file = "people" }', "people", MISSING),
    ('recipients = "any"', 'recipients = "list"  recipients_file = "the-list"', "the-list", MISSING),
    ('zone "example.test" {', 'zone "example.test" { file = "zone" ', "zone", MISSING),
    ('store { url = "sqlite:store" }', 'store { url = "sqlite:store" } system { user = "no-such-user" }',
     "no-such-user", "is no user of this system"),
    ('failover { mode = "manual" }', 'failover { mode = "manual"  create { site = "home"  address = "127.0.0.9"  '
     'provisioner = "/nowhere/make"  fence = "/dev" } }', "/nowhere/make", MISSING),
    ('failover { mode = "manual" }', 'failover { mode = "manual"  create { site = "home"  address = "127.0.0.9"  '
     'provisioner = "/bin/true"  fence = "no-such-agent" } }', "no-such-agent", "not among the programs"),
    ('store { url = "sqlite:store" }', 'store { url = "postgresql://holdfast@127.0.0.1/holdfast" }\n'
     'site "near" { databases = {"127.0.0.1"} }\nsite "far" { databases = {"b"}  fence = "/nowhere/off" }\n'
     'node "far1" { site = "far"  roles = {"director"} }', "/nowhere/off", MISSING),
    ('store { url = "sqlite:store" }', 'store { url = "postgresql://holdfast@127.0.0.1/holdfast?sslmode=verify-full'
     '&sslrootcert=/nowhere/ca.pem"  durability = "local" }', "/nowhere/ca.pem", MISSING),
    ('failover { mode = "manual" }', 'failover { mode = "manual" } check { kind = "command"  command = "/etc/passwd" }',
     "/etc/passwd", "cannot be executed"),
]


@pytest.mark.parametrize("old, new, name, words", OUTSIDE, ids=[case[2] for case in OUTSIDE])
def test_what_it_names_and_this_machine_lacks(config, old, new, name, words):
    text = example()
    assert old in text
    text = text.replace(old, new)
    line = 1 + next(i for i, found in enumerate(text.splitlines()) if name in found)
    done = check(config, text)
    assert done.returncode == program.FAILED
    assert any(found.startswith(f"{config}:{line}: ") and name in found and words in found
               for found in done.stderr.splitlines()), done.stderr


def test_mistakes_in_the_files_that_it_names_all_at_once(config):
    text = example().replace(*OUTSIDE[0][:2]).replace(*OUTSIDE[1][:2]).replace(*OUTSIDE[2][:2])
    (config.parent / "people").write_text("alice@example.test:{PLAIN}secret\n")
    (config.parent / "the-list").write_text("alice@example.test\nalice\n")
    (config.parent / "zone").write_text("$ORIGIN example.test.\nwww A 127.0.0.999\nwww NONSENSE x\n")
    done = check(config, text)
    assert done.returncode == program.FAILED
    for place in ("people:1", "the-list:2", "zone:2", "zone:3"):
        assert f"{config.parent}/{place}: " in done.stderr, done.stderr
    (config.parent / "people").write_text("")
    (config.parent / "the-list").write_text("alice@example.test\n")
    (config.parent / "zone").write_text("$ORIGIN example.test.\nwww A 127.0.0.9\n")
    done = check(config, text)
    assert done.returncode == program.DONE, done.stderr


def test_a_password_file_that_is_none_or_that_everybody_can_use(config):
    text = example().replace("sqlite:store", 'postgresql://hf@127.0.0.1/holdfast" durability = "local').replace(
        '127.0.0.1/holdfast"', '127.0.0.1/holdfast"  password_file = "secret"')
    secret = config.parent / "secret"
    for content, mode, words in (("\nrest\n", 0o600, "no password"), ("", 0o600, "no password"),
                                 ("x\n", 0o644, "chmod o="), ("x", 0o602, "chmod o=")):
        secret.write_text(content)
        secret.chmod(mode)
        done = check(config, text)
        assert done.returncode == program.FAILED
        assert "password_file" in done.stderr and words in done.stderr, done.stderr
    secret.chmod(0o640)
    done = check(config, text)
    assert done.returncode == program.DONE, done.stderr


def test_a_copy_is_of_sqlite(config):
    config.write_text(example().replace("sqlite:store", 'postgresql://hf@127.0.0.1/holdfast" durability = "local'))
    done = program.holdfast("store", "copy", config.parent / "copy", config=config, state_dir=config.parent / "state")
    assert done.returncode == program.FAILED and "pg_basebackup" in done.stderr, done.stderr
    assert not (config.parent / "copy").exists()


def ends_by_itself(network, *said):
    """`run` and `run --node` end when one of their roles cannot start, and say why."""
    for words in (("run",), ("run", "--node", "relay1")):
        network.log_path.write_text("")
        assert network.spawn(*words).wait(60) == program.FAILED
        text = network.log_path.read_text()
        assert "cannot start as it is configured" in text, text
        for word in said:
            assert word in text, text
        assert program.pids_with(network.state_dir) == []


@pytest.mark.parametrize("at, kind", [(BackupMx.RELAY, socket.SOCK_STREAM), (BackupMx.DNS[0], socket.SOCK_STREAM),
                                      (BackupMx.DNS[0], socket.SOCK_DGRAM)], ids=["relay", "dns TCP", "dns UDP"])
def test_run_ends_when_a_port_is_in_use(make_network, at, kind):
    network = make_network(BackupMx, "backup-mx.conf")
    with socket.socket(type=kind) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(at)
        if kind == socket.SOCK_STREAM:
            other.listen()
        ends_by_itself(network, f"{at[0]}:{at[1]}", "in use", "end that, or configure another")
    network.start()


def test_run_ends_when_the_users_file_has_a_mistake(make_network):
    network = make_network(BackupMx, "backup-mx.conf", [OUTSIDE[0][:2]])
    people = network.config.parent / "people"
    people.write_text("alice@example.test:{PLAIN}secret\n")
    ends_by_itself(network, f"{people}:1: ")
    people.write_text("")
    network.start()


def test_run_ends_when_the_recipients_file_is_missing(make_network):
    network = make_network(BackupMx, "backup-mx.conf", [OUTSIDE[1][:2]])
    ends_by_itself(network, f"{network.config.parent}/the-list")


def test_run_ends_before_a_store_of_a_newer_program(make_network):
    network = make_network(BackupMx, "backup-mx.conf").start()
    network.stop()
    with sqlite3.connect(network.state_dir / "store" / "network.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    ends_by_itself(network, "schema version 99", "newer program")


def test_no_such_file(scratch):
    done = program.holdfast("check-config", config=scratch / "nowhere.conf", state_dir=scratch / "state")
    assert done.returncode == program.FAILED
    assert "nowhere.conf" in done.stderr


def test_a_port_in_use(make_network, scratch):
    """Its message says which part tried what."""
    network = make_network(BackupMx, "backup-mx.conf")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(BackupMx.RELAY)
        other.listen()
        relay = network.spawn("relay", "--node", "relay1")
        assert relay.wait(30) == program.FAILED
    text = network.log_path.read_text()
    assert "relay1" in text and "127.0.0.1:2525" in text and "in use" in text, text


@pytest.mark.parametrize("words", [("relay", "--node", "relay1"), ("director", "--node", "relay1")])
def test_a_state_folder_that_cannot_be_written(make_network, scratch, words):
    """A file where a folder has to be: true for root as well."""
    network = make_network(BackupMx, "backup-mx.conf")
    network.state_dir.rmdir()
    network.state_dir.write_text("")
    done = network.command(*words)
    assert done.returncode == program.FAILED
    assert str(network.state_dir) in done.stderr, done.stderr
    network.state_dir.unlink()


def test_wrong_usage(scratch):
    for words in (("nonsense",), ("status", "--nonsense"), ("server", "show"), ("queue", "remove"), ("trace", "x")):
        done = program.holdfast(*words)
        assert done.returncode == program.USAGE, words
        assert done.stderr


def test_a_network_that_never_ran(make_network):
    network = make_network(BackupMx, "backup-mx.conf")
    done = network.command("status", "--json")
    assert done.returncode == program.FAILED and "never started" in done.stderr


def with_certificate(scratch, pem, key):
    text = example().replace('relay "relay1" {', 'relay "relay1" {\n    certificates = {"own"}')
    assert "certificates" in text
    return f'{text}certificate "own" {{\n    certificate = "{pem}"\n    key = "{key}"\n}}\n'


def test_certificates(config, scratch):
    authority = certificates.Authority(scratch)
    authority.sign("one", ["relay1.example.test"])
    authority.sign("two", ["relay1.example.test"])
    lines = len(example().splitlines()) + 1  # of the relay's key
    (scratch / "broken.pem").write_text("no certificate\n")
    for pem, key, line, words in (
            ("none.pem", "one.key", 2, 'certificate = "'), ("one.pem", "none.key", 3, "is not there"),
            ("one.pem", "two.key", 3, "is not the key of the certificate in"),
            ("broken.pem", "one.key", 3, "broken.pem holds no certificate in PEM"),
            ("one.pem", "one.pem", 3, "one.pem holds no private key")):
        done = check(config, with_certificate(scratch, pem, key))
        assert done.returncode == program.FAILED
        found = [text for text in done.stderr.splitlines() if text.startswith(f"{config}:{lines + line}: ")]
        assert len(found) == 1 and words in found[0], done.stderr
    done = check(config, with_certificate(scratch, "one.pem", "one.key"))
    assert "one." not in done.stderr


def test_authorities(config, scratch):
    text = example().replace('kind = "external"', 'kind = "external"  tls = "required"  tls_ca = "ca.pem"')
    assert "tls_ca" in text
    (scratch / "ca.pem").write_text("no certificate\n")
    done = check(config, text)
    assert done.returncode == program.FAILED and "ca.pem holds no certificates in PEM" in done.stderr
