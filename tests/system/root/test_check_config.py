"""check-config, called by root, judges what the file names by the rights of the user that roles become."""

import os
import pwd

import program
import pytest

USER = "nobody"
TEXT = """
store { url = "sqlite:store" }
system { user = "nobody" }
users { file = "people" }
site "home" { }
node "n1" { site = "home"  roles = {"dns", "relay", "director", "mailbox"} }
dns "ns1" { node = "n1"  hostname = "ns1.example.test"  address = {"127.0.0.1"}  listen = {"127.0.0.1:5300"} }
zone "example.test" {
    file = "zone"
}
relay "r1" { node = "n1"  hostname = "r1.example.test"  address = {"127.0.0.1"}  listen = {"127.0.0.1:2525"} }
domain "example.test" {
    server = "mail1"  relays = {"r1"}
    recipients = "list"
    recipients_file = "list"
}
server "mail1" {
    kind = "builtin"  site = "home"  hostname = "mail1.example.test"  address = {"127.0.0.3"}  smtp_port = 2526
    failover {
        mode = "automatic"
        create { site = "home"  address = "same"  fence = "process"
            provisioner = "PROVISIONER" }
    }
}
"""
FILES = {"people": "", "zone": "$ORIGIN example.test.\n", "list": "alice@example.test\n",
         "provisioner": "#!/bin/sh\n"}
CANNOT_READ = f'cannot be read by the user "{USER}", as whom roles run'
CANNOT_EXECUTE = f'cannot be executed by the user "{USER}", as whom roles run'
CANNOT_REACH = f'cannot be looked at by the user "{USER}", as whom roles run'


@pytest.fixture
def folder(scratch):
    """Of a configuration that is good for the user."""
    scratch.chmod(0o755)
    for name, text in FILES.items():
        (scratch / name).write_text(text)
        (scratch / name).chmod(0o755)
    (scratch / "holdfast.conf").write_text(TEXT.replace("PROVISIONER", str(scratch / "provisioner")))
    (scratch / "holdfast.conf").chmod(0o644)
    return scratch


def check(folder):
    return program.holdfast("check-config", config=folder / "holdfast.conf", state_dir=folder / "state")


def finds(folder, key, words):
    """Nothing but that, where the key is."""
    config = folder / "holdfast.conf"
    line = 1 + next(i for i, found in enumerate(config.read_text().splitlines()) if key in found)
    done = check(folder)
    assert done.returncode == program.FAILED
    found = done.stderr.splitlines()
    assert len(found) == 1 and found[0].startswith(f"{config}:{line}: ") and words in found[0], done.stderr


def test_what_the_user_can_read_is_good(folder):
    done = check(folder)
    assert done.returncode == program.DONE, done.stderr


def test_groups_of_the_user_count(folder):
    for name in FILES:
        (folder / name).chmod(0o750)
    assert len(check(folder).stderr.splitlines()) == len(FILES)
    for name in FILES:
        os.chown(folder / name, 0, pwd.getpwnam(USER).pw_gid)
    done = check(folder)
    assert done.returncode == program.DONE, done.stderr


@pytest.mark.parametrize("name, key, words", [
    ("people", "users {", CANNOT_READ), ("zone", 'file = "zone"', CANNOT_READ),
    ("list", "recipients_file", CANNOT_READ), ("provisioner", "provisioner =", CANNOT_EXECUTE)])
def test_what_only_root_can_read_is_found(folder, name, key, words):
    (folder / name).chmod(0o700)
    finds(folder, key, words)


def test_what_is_in_a_folder_of_root_is_found(folder):
    (folder / "root").mkdir(mode=0o700)
    (folder / "people").rename(folder / "root" / "people")
    config = folder / "holdfast.conf"
    config.write_text(config.read_text().replace('"people"', '"root/people"'))
    finds(folder, "users {", CANNOT_REACH)


def test_a_configuration_that_only_root_can_read_is_found(folder):
    """Roles read it again, and instances that they create."""
    (folder / "holdfast.conf").chmod(0o600)
    finds(folder, "system {", "cannot read this file, as roles must")
