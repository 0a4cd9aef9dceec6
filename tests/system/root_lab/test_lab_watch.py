"""What watches the lab can fail: it sees two writers, and a UID that is given twice. No lab is needed for that."""

import types

import pytest
from lab import watch
from lab.disasters import Plan


class Database:
    def __init__(self, *answers):
        self.answers = list(answers)

    def takes_writes(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def watch_of(east, west):
    return watch.Watch(types.SimpleNamespace(databases={"east": east, "west": west}, holdfast=None))


def test_two_writers_at_once_are_seen():
    watched = watch_of(Database(True), Database(True))
    watched.look_at_writers()
    assert watched.wrong == ["both databases take writes"]


def test_one_after_the_other_is_none_of_it():
    watched = watch_of(Database(True, False), Database(True))
    watched.look_at_writers()
    assert not watched.wrong


def test_a_uid_that_is_given_twice_is_seen():
    watched = watch_of(Database(False), Database(False))
    for tags in (("a", "b"), ("a", "b", "c"), ("a", "x")):
        watched.note([((b"1", 1 + i), tag) for i, tag in enumerate(tags)])
    assert watched.wrong == ["UID 2 was b, and is x"]


def test_a_new_uidvalidity_begins_anew():
    watched = watch_of(Database(False), Database(False))
    watched.note([((b"1", 1), "a")])
    watched.note([((b"2", 1), "b")])
    assert not watched.wrong


@pytest.mark.parametrize("only", [None, "freeze"])
def test_a_seed_says_what_comes(only):
    one, same, other = (Plan(seed, only) for seed in (7, 7, 8))
    assert [one.next() for _ in range(20)] == (planned := [same.next() for _ in range(20)])
    assert [other.next() for _ in range(20)] != planned
    assert only is None or {words[0] for words, _ in planned} == {only}
