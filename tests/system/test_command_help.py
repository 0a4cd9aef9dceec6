"""Every command says how it is used when asked by --help, and what that says is true: it takes each option that is named."""

import re

import program
import pytest

COMMANDS = re.findall(r"^  (\S+) ", program.holdfast("--help").stdout, re.MULTILINE)
VERBS = {"server": ["list", "show", "switchover", "failover", "failback", "fence", "retire"],
         "site": ["list", "lost", "back"], "store": ["status", "copy"],
         "queue": ["list", "show", "hold", "release", "retry", "move", "remove", "quarantine"],
         "user": ["add", "passwd", "list", "remove"]}
WAYS = [(command,) for command in COMMANDS] + [(command, verb) for command, verbs in VERBS.items() for verb in verbs]


def test_all_commands_are_known():
    assert {"run", "demo", "trace", "check-config", *VERBS} <= set(COMMANDS)


@pytest.mark.parametrize("words", WAYS, ids=" ".join)
def test_help_is_given(words):
    done = program.holdfast(*words, "--help")
    assert (done.returncode, done.stderr) == (program.DONE, "")
    assert program.holdfast("help", *words).stdout == done.stdout
    assert done.stdout.startswith(f"usage: holdfast {' '.join(words)}"), done.stdout
    forms = re.findall(r"^(?:usage:|      ) holdfast (.*)$", done.stdout, re.MULTILINE)
    wanted = [list(words)] if len(words) == 2 or words[0] not in VERBS else [[words[0], v] for v in VERBS[words[0]]]
    assert [form.split()[:len(wanted[0])] for form in forms] == wanted
    selection = re.search(r"^SELECTION +((?:.*\n +)*.*)$", done.stdout, re.MULTILINE)
    assert bool(selection) == any("SELECTION" in form for form in forms)
    for form in [*forms, selection.group(1) if selection else ""]:
        for option, value in re.findall(r"(--[a-z-]+)( [A-Z0-9a-z]+)?", form):
            refused = program.holdfast(words[0], option, *value.split(), "--no-such-option")
            assert refused.returncode == program.USAGE
            assert "unknown option --no-such-option" in refused.stderr, f"{words[0]} does not know {option}"


def test_wrong_usage_shows_the_forms():
    done = program.holdfast("site", "burn", "east")
    assert done.returncode == program.USAGE and done.stdout == ""
    assert "say list, lost NAME or back NAME" in done.stderr and "holdfast site lost NAME" in done.stderr
