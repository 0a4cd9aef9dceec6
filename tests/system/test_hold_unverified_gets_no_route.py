"""What a provisioner created gets no route before it is verified: while it is silent, or greets as another server, or the
store does not know its epoch, DNS names the relays, mail waits, and the director goes on until a good instance has it."""

import pathlib

import names
import pytest
from network import TwoSite
from provisioner import Provisioner

IMPOSTOR = pathlib.Path(__file__).resolve().parent / "impostor.py"
ELSEWHERE = "127.1.0.99"  # where a real instance takes the epoch, so that only what answers here is wrong

# By the plan, `create` starts an impostor at the address asked for; `destroy` ends it.
CREATES_IMPOSTORS = f'''
def start_impostor(says):
    argv = [sys.executable, {str(IMPOSTOR)!r}, REQUEST["state_dir"], REQUEST["addresses"][0], json.dumps(REQUEST["ports"])]
    impostor = subprocess.Popen([*argv, says], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, start_new_session=True)
    assert impostor.stdout.readline() == b"up\\n"
    (HERE / "impostor").write_text(str(impostor.pid))
    start = pathlib.Path(f"/proc/{{impostor.pid}}/stat").read_text().rpartition(")")[2].split()[19]
    return json.dumps(dict(pid=impostor.pid, pid_start=int(start)))


plan = take_plan()
if VERB == "destroy" and (HERE / "impostor").exists():
    os.kill(int((HERE / "impostor").read_text()), 9)
    (HERE / "impostor").unlink()
if plan == "unknown epoch":
    answer(0, start_impostor("Holdfast instance=%d@%s" % (REQUEST["epoch"], REQUEST["node"])))
if plan:
    real = ask_ready(addresses=["{ELSEWHERE}"])
    start_impostor("" if plan == "silent" else "ESMTP ready")
    answer(*real)
answer(*ask_ready())
'''

WITHOUT_WEST = ('        create { site = "west"  address = "127.2.0.10"  provisioner = "process"  fence = "epoch"    '
                'timeout = "30s" }\n', "")


def route(network):
    return network.status()["routes"]["example.test"]


def await_good_instance(network, address, before):
    """At that address. Returns whom DNS named before it had the route, and where that led meanwhile."""
    named, led_to = set(), set()

    def serves():
        for ns in network.DNS:
            answer, now = names.Resolver([ns]).mx("example.test"), route(network)
            if now["generation"] == before["generation"]:
                named.update(answer)
                led_to.add(now["address"])
        server = network.server()
        return (server["state"], server["address"]) == ("operational", address) and network.server_pid()

    network.until(serves, f"a good instance at {address}")
    return named, led_to


IN_WEST, IN_EAST_AGAIN = ((), TwoSite.REMOTE), ((WITHOUT_WEST,), TwoSite.HOME)


@pytest.mark.parametrize("impostor, then", [
    ("silent", IN_WEST), ("another server", IN_WEST), ("unknown epoch", IN_WEST), ("unknown epoch", IN_EAST_AGAIN)])
def test_no_route(make_network, scratch, ledger, impostor, then):
    changes, address = then
    provisioner = Provisioner(scratch / "provisioner", CREATES_IMPOSTORS)
    network = make_network(TwoSite, "two-site.conf", [provisioner.at_home(), *changes]).start()
    network.await_operational_at(network.HOME)
    before = route(network)
    provisioner.plan(impostor)
    network.kill_server()
    network.await_steered_to_relays()
    network.mta(ledger).send(10)
    assert ledger.hosts() == {network.RELAY_EAST: 10}
    network.until(provisioner.was_carried_out, "an impostor in its place")
    assert network.queued() == 10, "mail waits"
    named, led_to = await_good_instance(network, address, before)
    assert named == set(network.RELAY_HOSTS) and led_to == {""}
    network.judge(ledger)
