"""How entries look: grouping, days, holes, folded joins, wrapping under a hanging indent, own messages."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator, Sequence

import pytest

from chat.messages import Joined, Left, Said, Say, TopicSet
from client.entries import INDENT, Item, draw
from client.roomview import Fate, Own, RoomView
from client.text import width
from tests.client.scenes import NOON, said, texts


@pytest.fixture(autouse=True)
def utc() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def drawn(*items: Item, room: RoomView | None = None, ignored: Sequence[str] = (), columns: int = 60) -> list[str]:
    view = room or RoomView("lobby", "lobby")
    lines = [line for at in range(len(items)) for line in draw(view, "bob", ignored, items, at, columns)]
    return texts(lines)


def at(message: Said, seconds: float, **changes: object) -> Said:
    return dataclasses.replace(message, time=NOON + seconds, **changes)


def test_a_message_has_its_time_its_name_at_the_right_and_its_text() -> None:
    assert drawn(said(1, "hello"))[1:] == ["12:02        alice hello"]


def test_the_first_message_of_a_day_stands_under_the_days_line() -> None:
    lines = drawn(said(1), at(said(2), 60), at(said(3), 86_400))
    days = [line.strip("─ ") for line in lines if "─" in line]
    assert days == ["Sunday, 23 November 2025", "Monday, 24 November 2025"]


def test_messages_of_one_person_within_a_minute_stand_together() -> None:
    lines = drawn(at(said(1, "one"), 0), at(said(2, "two"), 59), at(said(3, "three"), 130))[1:]
    assert lines == ["12:00        alice one", " " * INDENT + "two", "12:02        alice three"]


def test_another_person_an_action_or_something_between_ends_the_group() -> None:
    lines = drawn(
        at(said(1, "one"), 0),
        at(said(2, "two", author="carol"), 1),
        at(said(3, "waves", author="carol"), 2, action=True),
        at(said(4, "four", author="carol"), 3),
    )[1:]
    assert [line.split()[1] for line in lines] == ["alice", "carol", "*", "carol"]
    assert lines[2].endswith("* carol waves")


def test_a_long_text_is_wrapped_under_its_beginning() -> None:
    lines = drawn(said(1, "word " * 30))[1:]
    assert len(lines) > 2
    assert all(line.startswith(" " * INDENT + "word") for line in lines[1:])
    assert all(width(line) <= 60 for line in lines)


def test_a_narrow_window_gives_names_less_room() -> None:
    assert drawn(said(1, "hello", author="maximiliana"), columns=40)[1:] == ["12:02 maxim… hello"]


def test_what_is_missing_before_a_message_is_said() -> None:
    room = RoomView("lobby", "lobby")
    assert "41 earlier" in drawn(said(42), room=room)[0]
    room.paging = "p"
    assert "41 earlier, being fetched" in drawn(said(42), room=room)[0]


def test_a_line_stands_where_the_user_stopped() -> None:
    room = RoomView("lobby", "lobby", stopped=1)
    lines = drawn(said(1), said(2), room=room)
    assert "new" in lines[2] and "message 2." in lines[3]


def test_joins_and_leaves_are_one_line_and_who_came_and_went_is_none() -> None:
    lines = drawn(
        Joined("lobby", 1, NOON, "carol", ""),
        Joined("lobby", 1, NOON + 1, "dave", ""),
        Left("lobby", 1, NOON + 2, "carol", "x"),
        Left("lobby", 1, NOON + 3, "erin", "y"),
        TopicSet("lobby", 1, NOON + 4, "dave", "t", "plans"),
    )
    assert lines == ["      · dave set the topic: plans; dave joined; erin left"]


def test_many_who_join_are_counted() -> None:
    facts = [Joined("lobby", 1, NOON + number, f"p{number}", "") for number in range(9)]
    assert drawn(*facts, columns=80) == ["      · p0, p1, p2, p3, p4 and 4 more joined"]


def test_an_own_message_that_was_refused_says_why_and_what_to_do() -> None:
    own = Own(Say("m", "lobby", "hi"), NOON, Fate.REFUSED, "The disk is full.")
    lines = drawn(own, columns=100)
    assert lines[0].endswith("bob hi")
    assert lines[1].strip() == "not sent: The disk is full. (Alt+E edits it, Alt+X drops it)"


def test_what_ignored_people_say_isnt_there() -> None:
    assert drawn(said(1, author="eve"), ignored=["eve"]) == []


def test_what_others_write_is_shown_and_never_obeyed() -> None:
    (line,) = drawn(said(1, "a\x1b[31mb\u202ec\td"), columns=80)[1:]
    assert line.endswith("a<U+001B>[31mb<U+202E>c    d")
