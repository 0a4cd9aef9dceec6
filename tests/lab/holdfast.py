"""Holdfast in the lab: the two-site network of the examples, with a machine for each site."""

import contextlib
import re
import shutil
import ssl
import subprocess

import program
from lab import database
from lab.places import address_in
from network import ALICE, TwoSite

NUMBERS = {"east": 1, "west": 2}
NODES = {"east": "east1", "west": "west1"}
HOSTS = (1, 2, 10, 53)  # status page, relay, mail1, name server: as in the example

CERTIFICATE = 'certificate "mail" { certificate = "mail.pem"  key = "mail.key" }'
# A renewal is a commit in two sites, and machines of tests have other things to do.
LEASE = "5s"
MOVES = re.compile(r"director@(\w+): server moves server=mail1 from=\w+ to=(\w+)")
LIMIT_S = 120  # the database's own failover comes before ours

STANDBY_TIMEOUT = "10s"  # longer than Patroni takes to elect another primary and end the old one (lab/database.py)
DATABASE_HOST = 5


def configuration(text, store):
    """Of the example's text. store: the section's content."""
    for site, number in NUMBERS.items():
        text = text.replace(f"127.{number}.0.", address_in(number, ""))
        text = replaced(text, f'site "{site}" {{ }}', f'site "{site}" {{ databases = {{"pg-{site}", "{address_in(number, DATABASE_HOST)}"}} }}')
        text = replaced(text, f'{{ site = "{site}"  roles', f'{{ site = "{site}"  host = "{site}"  roles')
    text = replaced(text, 'store { url = "sqlite:store" }', f'store {{ {store}  standby_timeout = "{STANDBY_TIMEOUT}" }}')
    text = replaced(text, 'site "east"', f'timing {{ lease = "{LEASE}" }}\n\n{CERTIFICATE}\n\nsite "east"')
    return replaced(text, 'hostname = "mail1.example.test"', 'hostname = "mail1.example.test"  certificates = {"mail"}')


def replaced(text, old, new):
    assert old in text, f"the example has no '{old}'"
    return text.replace(old, new, 1)


class LabNetwork(TwoSite):
    """Each node has a state folder of its own, and so have we, who look from outside."""

    DNS = ((address_in(1, 53), 5300), (address_in(2, 53), 5300))
    RELAY_EAST, RELAY_WEST = address_in(1, 2), address_in(2, 2)
    HOME, REMOTE = address_in(1, 10), address_in(2, 10)

    def __init__(self, folder, places):
        super().__init__(folder / "two-site.conf", folder / "state-outside", folder / "holdfast.log")
        self.places = places
        self.folder = folder
        self.processes = {}  # of each site's node

    def create(self, authority, databases):
        for path in program.EXAMPLES.iterdir():
            shutil.copy(path, self.folder)
        authority.sign("mail", [self.HOST])
        password = self.folder / "store-password"
        password.write_text(database.PASSWORDS[database.ROLE] + "\n")
        password.chmod(0o600)
        hosts = ",".join(one.address for one in databases)
        url = f"postgresql://{database.ROLE}@{hosts}/{database.DATABASE}?sslmode=verify-full&sslrootcert={authority.file}"
        self.config.write_text(configuration(self.config.read_text(), f'url = "{url}"  password_file = "{password}"'))
        for folder in (self.state_dir, *map(self.state_of, NUMBERS)):
            folder.mkdir()
        self.tls = ssl.create_default_context(cafile=authority.file)
        self.tls.check_hostname = False  # users go by address here

    def until(self, condition, what, limit_s=LIMIT_S, **options):
        return super().until(condition, what, limit_s=limit_s, **options)

    def judge(self, ledger, user=ALICE, limit_s=LIMIT_S):
        super().judge(ledger, user, limit_s)

    def state_of(self, site):
        return self.folder / f"state-{site}"

    def start_site(self, site):
        """Not waited for."""
        words = [program.BINARY, "run", "--node", NODES[site], "-c", str(self.config), "--state-dir", str(self.state_of(site))]
        self.processes[site] = self.places[site].spawn(words, self.log_path)
        self.parents.append(self.processes[site])

    def runs(self, site):
        return site in self.processes and self.processes[site].poll() is None

    def signal_site(self, site, signum):
        """All of Holdfast there."""
        self.places[site].signal(signum, self.state_of(site))

    def pids_of_node(self, name):
        site = next(site for site, node in NODES.items() if node == name)
        return self.places[site].pids(self.state_of(site))

    @contextlib.contextmanager
    def follow_log(self):
        """What is said from now on, line by line, as it comes."""
        words = ["timeout", str(LIMIT_S), "tail", "--bytes=0", "--follow", self.log_path]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, errors="replace") as tail:
            try:
                yield tail.stdout
            finally:
                tail.terminate()

    @staticmethod
    def site_of_mover(lines, state):
        """Of the director that is the first to bring mail1 into that state."""
        for line in lines:
            moved = MOVES.search(line)
            if moved and moved.group(2) == state:
                return next(site for site, node in NODES.items() if node == moved.group(1))
        raise AssertionError(f"mail1 was not brought to {state} within {LIMIT_S} s")

    def runs_elsewhere(self, site):
        """mail1 is operational, and not there."""
        server = self.server()
        return server["state"] == "operational" and server["site"] != site
