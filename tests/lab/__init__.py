"""Two data centres and a third place, each a network of its own, and what can happen to them. As root."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))  # what it shares with the system tests
