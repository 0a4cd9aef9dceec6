"""`holdfast demo` itself: its story holds, it says so when it does not, and it leaves nothing behind."""

import json
import signal
import socket
import subprocess

import program
import pytest
import reader
import wait
from network import NOT_YET, TwoSite

ACTS = ["route", "server is killed", "site is killed", "returns", "ended"]  # a word of each heading
PLAY_LIMIT_S = 150


@pytest.fixture
def demo(scratch):
    """demo(*options): it plays, with its folder below the scratch."""
    def start(*options):
        with open(scratch / "errors", "w") as errors:
            return subprocess.Popen([program.BINARY, "demo", "-c", program.EXAMPLES / "two-site.conf", "--state-dir",
                                     scratch, *options], stdout=subprocess.PIPE, stderr=errors, text=True)

    yield start
    for folder in scratch.glob("holdfast-demo-*"):
        program.kill_all_with(folder / "state")


def end_of(playing):
    out, _ = playing.communicate(timeout=PLAY_LIMIT_S)
    return playing.returncode, out


def folders(scratch):
    return list(scratch.glob("holdfast-demo-*"))


def broken(story):
    return [check["what"] for check in story["checks"] if not check["held"]]


def await_messages(then=lambda session: True):
    """Until the demo's reader has mail, and what is done then in that session of his succeeds: the demo kills its server."""
    def look():
        with reader.imap(TwoSite.HOME, TwoSite.IMAP) as session:
            return reader.has_messages(session) and then(session)

    wait.until(look, "a message of the demo", tolerate=NOT_YET)


def test_the_story_holds(demo, scratch):
    status, out = end_of(demo("--json"))
    story = json.loads(out)
    assert (status, broken(story)) == (program.DONE, []), (scratch / "errors").read_text()
    titles = [event["what"] for event in story["timeline"] if event["kind"] == "act"]
    assert len(titles) == len(ACTS)
    for title, word in zip(titles, ACTS):
        assert word in title
    assert story["messages"]["accepted"] > 100 and story["messages"]["refused"] + story["messages"]["unsent"] == 0
    whole = [check["what"] for check in story["checks"] if "shows all" in check["what"]]
    assert sum("IMAP" in what for what in whole) == sum("POP3" in what for what in whole) >= 3
    judged = {key for key, time in story["times"].items() if "limit_ms" in time}
    assert judged == {"server_steered_ms", "server_readable_ms", "server_drain_ms",
                      "site_steered_ms", "site_readable_ms", "site_drain_ms"}
    assert folders(scratch) == []


def test_a_message_that_is_there_twice_is_found_out(demo, scratch):
    """Somebody copies what the demo did not."""
    playing = demo()
    await_messages(lambda session: session.copy("1", "INBOX")[0] == "OK")
    status, out = end_of(playing)
    assert status == program.FAILED
    assert "BROKEN: IMAP at 127.1.0.10:2143" in out and "BROKEN: POP3 at 127.1.0.10:2110" in out
    assert "0 lost, 1 doubled" in out and "NOT ALL HELD" in out
    [folder] = folders(scratch)
    assert f"What the network's processes said: {folder}/network.log" in out
    assert program.pids_with(folder / "state") == []


def test_a_network_that_ends_by_itself_is_found_out(demo, scratch):
    playing = demo("--json")
    await_messages()
    [folder] = folders(scratch)
    supervisors = [pid for pid in program.pids_with(folder / "state")
                   if "run" in (words := program.command_line(pid)) and "--node" not in words]
    assert len(supervisors) == 1
    program.kill(supervisors[0])
    status, out = end_of(playing)
    story = json.loads(out)
    assert status == program.FAILED and not story["held"]
    assert any("ended by itself" in what for what in broken(story)), broken(story)


def test_its_addresses_are_in_use(demo, scratch):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((TwoSite.HOME, TwoSite.IMAP))
        other.listen()
        assert end_of(demo()) == (program.TRY_AGAIN, "")
    said = (scratch / "errors").read_text()
    assert f"{TwoSite.HOME}:{TwoSite.IMAP}" in said and "end the one that runs" in said
    assert folders(scratch) == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_an_interrupted_one_leaves_nothing(demo, scratch, signum):
    playing = demo()
    await_messages()
    [folder] = folders(scratch)
    playing.send_signal(signum)
    status, out = end_of(playing)
    assert status == program.FAILED
    assert "interrupted" in out and "every process has ended as it was asked to" in out
    assert program.pids_with(folder / "state") == [] and folders(scratch) == []
