"""Started as root, roles run as the configured user once their ports are bound."""

import pathlib
import pwd
import shutil
import smtplib

import program
import pytest
from network import TwoSite

USER = "nobody"


CHANGES = [('store { url = "sqlite:store" }', f'store {{ url = "sqlite:store" }}\nsystem {{ user = "{USER}" }}')]


@pytest.fixture
def make_user_network(make_network, scratch):
    def make(changes=()):
        network = make_network(TwoSite, "two-site.conf", [*CHANGES, *changes])
        scratch.chmod(0o755)
        shutil.chown(network.state_dir, USER)
        return network

    return make


@pytest.fixture
def stopped(make_user_network):
    return make_user_network()


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
    said = "the system has no user 'no-such-user' to run as: make it, or change `user`"
    for words in (("relay", "--node", "east1"), ("run", "--node", "east1"), ("run",)):
        network.log_path.write_text("")
        assert network.spawn(*words).wait(60) == program.FAILED, words
        assert said in network.log_path.read_text(), words
        assert program.pids_with(network.state_dir) == [], words


def capabilities(pid):
    """All sets but the bounding one, which gives nothing."""
    fields = dict(line.split(":", 1) for line in pathlib.Path("/proc", str(pid), "status").read_text().splitlines())
    return {name: int(fields[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")}


BIND_SERVICE = 1 << 10
NONE = dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapAmb"), 0)


def greets_on_port_25(network):
    with smtplib.SMTP(network.HOME, 25, timeout=5) as session:
        return session.noop()[0] == 250


def test_a_server_on_port_25_is_created_again(make_user_network, ledger):
    network = make_user_network([("smtp_port = 2525", "smtp_port = 25")]).start()
    user = {pwd.getpwnam(USER).pw_uid}
    first = network.server_pid()
    assert greets_on_port_25(network)
    assert users_of(first) == user and capabilities(first) == NONE
    network.kill_server()
    network.await_operational_at(network.HOME)
    second = network.server_pid()
    assert second != first and greets_on_port_25(network)
    assert users_of(second) == user and capabilities(second) == NONE
    network.mta(ledger).send(3)
    network.judge(ledger)
    for role in ("dns", "relay"):
        assert capabilities(network.role_pid(role, "east1")) == NONE, role
    director = capabilities(network.role_pid("director", "east1"))
    assert set(director.values()) == {BIND_SERVICE}, director


def test_a_director_of_high_ports_keeps_nothing(network):
    assert capabilities(network.role_pid("director", "east1")) == NONE


def test_without_root_and_capability_it_says_so(make_user_network):
    network = make_user_network([('"127.1.0.2:2525"', '"127.1.0.2:25"')])
    relay = network.spawn("relay", "--node", "east1", wrapper=["setpriv", "--reuid", USER, "--clear-groups"])
    assert relay.wait(30) != program.DONE
    assert "127.1.0.2:25: permission denied (ports below 1024" in network.log_path.read_text()
