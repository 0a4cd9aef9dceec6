"""A lab that runs is told what to do through a socket in its folder: one JSON list of words in, text out."""

import contextlib
import json
import pathlib
import shutil
import socket

from lab.lab import DELIVERY_STEPS, SITES, STEPS
from lab.places import address_in

# Of the lab that ./dev lab brings up: on a disk, where the user postgres can pass, and nobody else can be first.
FOLDER = pathlib.Path("/var/lib/holdfast-lab")
SOCKET = "control"
# {its name: the method of Lab, and what it wants one of}
DISASTERS = {"kill-site": ("kill_site", SITES), "cut-link": ("cut_link", ()), "lose-disk": ("lose_disk", SITES),
             "freeze": ("freeze", SITES), "freeze-at": ("freeze_leader_at", STEPS),
             "freeze-delivery": ("freeze_delivery_at", tuple(DELIVERY_STEPS)), "heal": ("heal", ())}


class Wrong(Exception):
    """What was asked for cannot be."""


def play(lab, name, *more):
    """One disaster by its name, or the healing of all."""
    method, choices = DISASTERS.get(name, (None, ()))
    if method is None or len(more) != bool(choices) or not set(more) <= set(choices):
        raise Wrong(usage())
    getattr(lab, method)(*more)


def usage():
    disasters = [f"  ./dev lab {name}{' ' if choices else ''}{'|'.join(choices)}" for name, (_, choices) in DISASTERS.items()]
    return "\n".join(["usage, of a lab that runs:", "  ./dev lab status", *disasters, "  ./dev lab in PLACE COMMAND..."])


# ---- in the lab ----

class Server:
    """Of one lab; its folder begins empty."""

    def __init__(self, folder):
        self.folder = folder
        self.socket = None

    def __enter__(self):
        if (self.folder / SOCKET).exists() and is_answered(self.folder):
            raise Wrong(f"a lab runs already in {self.folder}")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o711)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(self.folder / SOCKET))
        (self.folder / SOCKET).chmod(0o600)
        self.socket.listen()
        return self

    def __exit__(self, kind, *_):
        """What went wrong can be looked at until the next one begins."""
        self.socket.close()
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def serve(self, lab):
        """Until it is interrupted. One after another."""
        while True:
            connection, _ = self.socket.accept()
            with connection, connection.makefile("rw") as lines, contextlib.suppress(OSError):
                lines.write(answer(lab, json.loads(lines.readline() or "[]")))


def is_answered(folder):
    try:
        ask(folder, "status")
    except OSError:
        return False
    return True


def answer(lab, words):
    """A JSON object: "text", and whether it "failed"; or the "words" that run a command in a place."""
    try:
        if words[:1] == ["in"] and len(words) > 2 and words[1] in lab.places:
            return json.dumps({"words": lab.places[words[1]].words(*words[2:])})
        if words == ["status"]:
            return json.dumps({"text": status(lab), "failed": False})
        play(lab, *(words or [""]))
        return json.dumps({"text": f"{' '.join(words)}: done", "failed": False})
    except (Wrong, AssertionError, OSError) as error:
        return json.dumps({"text": str(error), "failed": True})


def ask(folder, *words):
    """As the lab's answer() says."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(folder / SOCKET))
        with connection.makefile("rw") as lines:
            lines.write(json.dumps(words) + "\n")
            lines.flush()
            return json.loads(lines.read())


# ---- what one sees ----

def status(lab):
    lines = []
    for site in SITES:
        database, node = lab.databases[site], lab.holdfast.runs(site)
        lines.append(f"{site}: Holdfast {'runs' if node else 'is off'}, {database.name} "
                     f"{(database.role() or 'gives no answer') if database.runs() else 'is off'}")
    well = [name for name, etcd in lab.etcds.items() if etcd.is_healthy()]
    lines.append(f"etcd: well in {', '.join(well) or 'no place'}")
    done = lab.holdfast.command("status", limit_s=30)
    return "\n".join([*lines, "", done.stdout or done.stderr])


def how_to_look(lab):
    program, config = "build/holdfast", f"-c {lab.holdfast.config} --state-dir {lab.holdfast.state_dir}"
    return f"""
The lab runs: sites east and west, a third place with etcd, and you, outside of them.
  send         swaks --server {address_in(1, 2)}:2525 --to alice@example.test      (relay in the east; {address_in(2, 2)} in the west)
  where to     dig @{address_in(1, 53)} -p 5300 example.test MX
  read         curl -k --ssl-reqd -u alice@example.test:holdfast 'imap://{address_in(1, 10)}:2143/INBOX?ALL'   ({address_in(2, 10)} in the west)
  the page     http://{address_in(1, 1)}:8025/ and http://{address_in(2, 1)}:8025/
  status       {program} status --watch {config}
  events       {program} events {config}
  databases    patronictl -c {lab.databases['east'].config} list
  in a place   ./dev lab in east|west|third COMMAND...
  logs         {lab.folder}/*.log

In another terminal, a disaster, and what heals them all:
  ./dev lab kill-site east|west     power off: the network is silent, everything there is killed
  ./dev lab cut-link                east and west do not see each other; the third place sees both
  ./dev lab lose-disk east|west     the database there and its data are gone
  ./dev lab freeze east|west        Holdfast there stands still
  ./dev lab freeze-at STEP          mail1 dies, and the site whose director deals with it stands still amid that:
                                    {", ".join(STEPS)}
  ./dev lab freeze-delivery STEP    the site where mail1 runs stands still amid a delivery, when one comes:
                                    {", ".join(DELIVERY_STEPS)}
  ./dev lab heal
  ./dev lab status
While one site has no copy of what the other one takes, new mail is referred (451), and what is held is delivered and read. Who knows
that a site is off says so, and back when it is there again:
  {program} site lost east {config}

Ctrl-C ends it all.
"""
