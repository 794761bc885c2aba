"""The judge of a chaos run is itself judged: a run that is well passes, and each fault is found."""

from __future__ import annotations

from scripts.siege.checker import Checker, Entry

MEMBERS = {"alice": "r", "bob": "r"}


def run(*entries: Entry, stored: bool = True, listeners: tuple[str, ...] = ("alice", "bob")) -> Checker:
    """A checker that was told of these entries as numbers 1, 2, 3 …, heard by all."""
    checker = Checker()
    for seq, entry in enumerate(entries, 1):
        checker.has_sent()
        if stored:
            checker.was_stored("r", entry, seq)
        for listener in listeners:
            checker.was_heard(listener, "r", seq, entry, seq - 1)
    return checker


def faults(checker: Checker) -> set[str]:
    return set(checker.verdict(MEMBERS))


A1, A2, B1 = Entry("alice", 1), Entry("alice", 2), Entry("bob", 1)


def test_a_good_run_has_no_fault() -> None:
    checker = run(A1, B1, A2)
    assert not faults(checker)
    assert (checker.sent, checker.stored, checker.refused, checker.unknown) == (3, 3, 0, 0)


def test_what_was_never_answered_may_be_there_or_not() -> None:
    checker = run(A1, A2, stored=False)
    checker.has_sent()
    assert not faults(checker) and checker.unknown == 3


def test_an_acknowledged_message_that_nobody_hears_is_lost() -> None:
    checker = run(A1)
    checker.has_sent()
    checker.was_stored("r", B1, 2)
    assert "stored and lost" in faults(checker)


def test_two_numbers_for_one_message() -> None:
    checker = run(A1, B1)
    checker.was_stored("r", A1, 2)
    assert "acknowledged under two numbers" in faults(checker)


def test_a_hole_and_a_double_in_one_stream() -> None:
    checker = run(A1)
    checker.was_heard("bob", "r", 3, B1, 1)
    checker.was_heard("bob", "r", 1, A1, 3)
    assert {"a hole in the numbers", "doubled", "numbers that aren't 1 to n"} <= faults(checker)


def test_members_who_hear_different_orders() -> None:
    checker = run(A1, B1, listeners=("alice",))
    checker.was_heard("bob", "r", 1, B1, 0)
    assert "two orders in one room" in faults(checker)


def test_an_author_whose_messages_change_places() -> None:
    assert "out of an author's order" in faults(run(A2, A1))


def test_one_message_under_two_numbers_of_the_room() -> None:
    assert "stored twice" in faults(run(A1, A1, stored=False))


def test_a_refused_message_that_is_there() -> None:
    checker = run(A1, stored=False)
    checker.was_refused("r", A1)
    assert "refused and stored" in faults(checker)


def test_a_member_who_did_not_get_the_end() -> None:
    checker = run(A1)
    checker.was_heard("alice", "r", 2, B1, 1)
    assert faults(checker) == {"a member who didn't get all"}
