"""The status page, API, metrics and health of each director, asked by curl."""

import json
import signal
import smtplib
import socket
import subprocess

import program
import pytest
from network import MANUAL, TwoSite

EAST, WEST = "http://127.1.0.1:8025", "http://127.2.0.1:8025"
CURL_LIMIT_S = 30


def curl(url, *options):
    """(HTTP status, headers and body as text); status 0 when nobody answers."""
    argv = ["curl", "--silent", "--include", "--max-time", str(CURL_LIMIT_S), *options, url]
    done = subprocess.run(argv, capture_output=True, text=True)
    status = done.stdout.split(" ", 2)[1] if done.stdout.startswith("HTTP/") else 0
    return int(status), done.stdout


def body_of(url):
    status, text = curl(url)
    assert status == 200, text
    return text.partition("\n\n")[2]


def metric(url, line):
    """The value of one sample, or None."""
    for found in body_of(f"{url}/metrics").splitlines():
        name, _, value = found.rpartition(" ")
        if name == line:
            return float(value)
    return None


def is_healthy(url):
    return curl(f"{url}/healthz")[0] == 200


@pytest.fixture
def network(two_site):
    two_site.until(lambda: is_healthy(EAST) and is_healthy(WEST), "two directors that are well")
    return two_site


def test_the_work_is_counted(network, ledger):
    """Each relay's, from its start; what both did together is what was sent."""

    def total(name):
        samples = [line for line in body_of(f"{WEST}/metrics").splitlines() if line.startswith(f"holdfast_{name}")]
        return sum(float(line.rpartition(" ")[2]) for line in samples)

    network.must("server", "fence", "mail1")
    network.await_steered_to_relays()
    mta = network.mta(ledger)
    mta.send(3)
    with smtplib.SMTP(TwoSite.RELAY_EAST, TwoSite.SMTP, timeout=CURL_LIMIT_S) as session:
        session.ehlo("sender.test")
        session.mail("a@b.test")
        assert [session.rcpt(f"nobody{number}@example.test")[0] for number in range(2)] == [550, 550]
    network.until(lambda: total('relay_accepted_total') == 3, "three accepted messages in the metrics")
    network.until(lambda: total('relay_refused_total{relay="relay-east",for="good"}') == 2, "two refusals")
    assert total("relay_accepted_bytes_total") > 3 * 500
    network.fail_back()
    network.until(lambda: total('relay_deliveries_total{relay="relay-east",outcome="delivered"}') == 3, "deliveries")


def test_health(network):
    assert body_of(f"{EAST}/healthz").strip() == "ok"


def test_the_api_tells_what_the_command_tells(network):
    """All that does not change by itself from one moment to the next."""

    def steady(status):
        for server in status["servers"]:
            assert {observer["node"] for observer in server.pop("observers")} <= {"east1", "west1"}
            del server["detail"]
        return {kind: status[kind] for kind in ("servers", "relays", "nodes", "sites", "routes")}

    def same():
        told = steady(network.status())
        return all(steady(json.loads(body_of(f"{url}/api/v1/status"))) == told for url in (EAST, WEST))

    network.until(same, "one status by three ways")
    assert set(network.status()) == set(json.loads(body_of(f"{EAST}/api/v1/status")))


def test_the_api_tells_the_events(network):
    """As the command does: who, and why."""
    network.must("queue", "retry", "--all", "--why", "seen on the page")

    def told(url):
        return json.loads(body_of(f"{url}/api/v1/events"))["events"]

    for url in (EAST, WEST):
        [mine, *_] = network.until(lambda: [e for e in told(url) if e["detail"].get("why") == "seen on the page"], "the event")
        assert (mine["kind"], mine["detail"]["verb"]) == ("order", "queue-retry") and "@" in mine["detail"]["who"]
    assert mine in network.json("events", "--limit", "1000")
    page = json.loads(body_of(f"{WEST}/api/v1/events?after={mine['id'] - 1}&limit=1"))
    assert page["events"] == [mine]


def test_metrics(network):
    network.until(lambda: metric(EAST, 'holdfast_server_up{server="mail1"}') == 1, "a server that is up by the metrics")
    assert metric(EAST, 'holdfast_node_alive{node="west1"}') == 1
    assert metric(EAST, "holdfast_store_answers") == 1
    leads = [metric(WEST, f'holdfast_director_leads{{node="{node}"}}') for node in ("east1", "west1")]
    assert sorted(leads) == [0, 1]


def test_the_page_and_its_files(network):
    status, text = curl(f"{EAST}/")
    assert status == 200 and "<!DOCTYPE html>" in text
    assert "Content-Security-Policy: default-src 'none';" in text
    for name in ("style.css", "app.js", "icon.svg"):
        assert f'"/{name}"' in text
        assert body_of(f"{EAST}/{name}")
    assert curl(f"{EAST}/", "--request", "POST")[0] == 405
    assert curl(f"{EAST}/nowhere")[0] == 404


def test_a_death_shows(network):
    """Another director goes on telling."""
    network.kill_node("east1")
    network.until(lambda: metric(WEST, 'holdfast_node_alive{node="east1"}') == 0, "the death of east1")
    assert curl(f"{EAST}/healthz")[0] == 0
    network.await_operational_at(network.REMOTE)
    network.until(lambda: metric(WEST, 'holdfast_server_up{server="mail1"}') == 1
                  and metric(WEST, 'holdfast_director_leads{node="west1"}') == 1, "the other server")


def test_what_waits_is_counted(make_network, ledger):
    network = make_network(TwoSite, "two-site.conf", MANUAL).start()
    network.until(lambda: is_healthy(EAST), "a director that is well")
    network.kill_server()
    network.await_steered_to_relays()
    network.mta(ledger).send(7)
    network.until(lambda: metric(EAST, 'holdfast_server_queued{server="mail1"}') == 7, "seven that wait")
    assert metric(EAST, 'holdfast_server_oldest_age_seconds{server="mail1"}') > 0


def test_a_port_in_use_costs_the_page_only(make_network):
    """The log says who tried what; the page comes once it can."""
    network = make_network(TwoSite, "two-site.conf")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.1.0.1", 8025))
        other.listen()
        network.start()
        log = network.log_path.read_text()
        assert "127.1.0.1:8025" in log and "in use" in log and "director@east1" in log, log
        assert is_healthy(WEST)
    network.until(lambda: is_healthy(EAST), "the page of the east")


def test_a_director_that_ends_closes_its_page(network):
    def directors():
        return [pid for pid in network.pids_of_node("east1") if "director" in program.command_line(pid)]

    before = directors()
    assert len(before) == 1
    program.send_signal(before[0], signal.SIGTERM)
    network.until(lambda: not set(directors()) & set(before), "the director's end")
    network.until(lambda: is_healthy(EAST), "the director that was started again")
