"""The lab, for which they need root."""

import os
import pathlib
import shutil
import sys
import tempfile

import pytest
from failure import failed, show_log

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from lab.lab import Lab  # noqa: E402
from ledger import Ledger  # noqa: E402


@pytest.fixture(scope="session")
def shared_lab():
    """One for all tests that want one: it takes half a minute to begin."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-lab-"))
    folder.chmod(0o711)  # the user postgres passes through
    try:
        with Lab(folder, print) as lab:
            yield lab
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def lab_ledger():
    """Of all that is ever sent in it."""
    return Ledger("lab")


@pytest.fixture
def lab(request, shared_lab):
    """At home: nothing is missing, and the east has the primary and mail1, whatever the test before has left."""
    shared_lab.heal()
    shared_lab.await_healed()
    shared_lab.go_home()
    yield shared_lab
    if failed(request.node):
        for path in sorted(shared_lab.folder.glob("*.log")):
            show_log(path)
