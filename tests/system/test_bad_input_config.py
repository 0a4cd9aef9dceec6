"""A wrong configuration, a port in use, a folder that cannot be written: who tried what, and where it is written."""

import socket

import program
import pytest


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


def test_no_such_file(scratch):
    done = program.holdfast("check-config", config=scratch / "nowhere.conf", state_dir=scratch / "state")
    assert done.returncode == program.FAILED
    assert "nowhere.conf" in done.stderr


def test_a_port_in_use(make_network, scratch):
    """Its message says which part tried what."""
    from network import BackupMx
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
    from network import BackupMx
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
    from network import BackupMx
    network = make_network(BackupMx, "backup-mx.conf")
    done = network.command("status", "--json")
    assert done.returncode == program.FAILED and "never started" in done.stderr
