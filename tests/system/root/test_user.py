"""Started as root, roles run as the configured user once their ports are bound."""

import pathlib
import pwd
import shutil

import program
import pytest
from network import TwoSite

USER = "nobody"


@pytest.fixture
def network(make_network, scratch):
    network = make_network(TwoSite, "two-site.conf",
                           [('store { url = "sqlite:store" }', f'store {{ url = "sqlite:store" }}\n'
                             f'system {{ user = "{USER}" }}')])
    scratch.chmod(0o755)
    shutil.chown(network.state_dir, USER)
    return network.start()


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


def test_a_user_that_is_not_there(make_network):
    network = make_network(TwoSite, "two-site.conf",
                           [('store { url = "sqlite:store" }', 'store { url = "sqlite:store" }\n'
                             'system { user = "no-such-user" }')])
    done = network.command("relay", "--node", "east1")
    assert done.returncode == program.FAILED and "no-such-user" in done.stderr
