"""Started as root, roles run as the configured user once their ports are bound."""

import pathlib
import pwd
import shutil

import program
import pytest
from network import TwoSite

USER = "nobody"


CHANGES = [('store { url = "sqlite:store" }', f'store {{ url = "sqlite:store" }}\nsystem {{ user = "{USER}" }}')]


@pytest.fixture
def stopped(make_network, scratch):
    network = make_network(TwoSite, "two-site.conf", CHANGES)
    scratch.chmod(0o755)
    shutil.chown(network.state_dir, USER)
    return network


@pytest.fixture
def network(stopped):
    return stopped.start()


def owners(folder):
    return {path.owner() for path in [folder, *folder.rglob("*")]}


def users_of(pid):
    """Real, effective, saved, of the file system: each."""
    text = pathlib.Path("/proc", str(pid), "status").read_text()
    return {int(number) for number in text.partition("Uid:")[2].split("\n")[0].split()}


def test_every_role_runs_as_that_user(network, ledger):
    network.mta(ledger).send(3)
    network.judge(ledger)
    wanted = {pwd.getpwnam(USER).pw_uid}
    for role in ("dns", "relay", "director"):
        for node in ("east1", "west1"):
            assert users_of(network.role_pid(role, node)) == wanted, f"{role} of {node}"
    assert users_of(network.server_pid()) == wanted
    network.kill_server()
    network.await_operational_at(network.HOME)
    assert users_of(network.server_pid()) == wanted
    network.judge(ledger)


def test_what_commands_of_root_make_is_that_users(stopped, ledger):
    """The first command of all is root's, on a state folder that is not there yet."""
    stopped.state_dir.rmdir()
    added = stopped.command("user", "add", "carol@example.test", stdin="holdfast\n")
    assert added.returncode == program.DONE, added.stderr
    assert (stopped.state_dir / "store" / "network.db").exists() and owners(stopped.state_dir) == {USER}
    stopped.start()
    stopped.mta(ledger).send(3, to="carol@example.test")
    stopped.judge(ledger, "carol@example.test")
    stopped.must("server", "switchover", "mail1")
    stopped.must("queue", "list")
    stopped.stop()
    stopped.must("status")
    assert owners(stopped.state_dir) == {USER}
    stopped.start()
    stopped.judge(ledger, "carol@example.test")


def test_without_a_user_the_folders_owner_is(make_network, scratch):
    network = make_network(TwoSite, "two-site.conf")
    scratch.chmod(0o755)
    shutil.chown(network.state_dir, USER)
    added = network.command("user", "add", "carol@example.test", stdin="holdfast\n")
    assert added.returncode == program.DONE, added.stderr
    assert owners(network.state_dir) == {USER}


def test_a_user_that_is_not_there(make_network):
    network = make_network(TwoSite, "two-site.conf",
                           [('store { url = "sqlite:store" }', 'store { url = "sqlite:store" }\n'
                             'system { user = "no-such-user" }')])
    done = network.command("relay", "--node", "east1")
    assert done.returncode == program.FAILED and "no-such-user" in done.stderr
