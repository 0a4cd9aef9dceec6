"""A member of the etcd that Patroni decides by: one in each place, so that two of three go on when a site is lost."""

import json
import urllib.request

CLIENT_PORT, PEER_PORT = 2379, 2380
LOOK_LIMIT_S = 3
# A machine of tests may stand still for longer than etcd's defaults (100 ms, 1 s) like.
HEARTBEAT_MS, ELECTION_MS = 200, 2000


class Member:
    def __init__(self, place, address, folder):
        self.place, self.address = place, address
        self.name = f"etcd-{place.name}"
        self.folder, self.log_path = folder / self.name, folder / f"{self.name}.log"
        self.process = None

    def peer_url(self):
        return f"http://{self.address}:{PEER_PORT}"

    def client(self):
        return f"{self.address}:{CLIENT_PORT}"

    def start(self, members):
        """members: all of them. What it knew before it was killed it knows again."""
        here = f"http://{self.client()}"
        self.process = self.place.spawn([
            "etcd", "--name", self.name, "--data-dir", str(self.folder),
            "--listen-peer-urls", self.peer_url(), "--initial-advertise-peer-urls", self.peer_url(),
            "--listen-client-urls", here, "--advertise-client-urls", here,
            "--initial-cluster", ",".join(f"{member.name}={member.peer_url()}" for member in members),
            "--initial-cluster-token", "holdfast-lab", "--pre-vote", "--auto-compaction-retention", "1",
            "--heartbeat-interval", str(HEARTBEAT_MS), "--election-timeout", str(ELECTION_MS), "--logger", "zap",
            "--log-level", "warn"], self.log_path)

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def is_healthy(self):
        """It answers, and has a leader."""
        try:
            with urllib.request.urlopen(f"http://{self.client()}/health", timeout=LOOK_LIMIT_S) as answer:
                return json.load(answer)["health"] == "true"
        except (OSError, ValueError):
            return False
