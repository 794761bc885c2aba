"""The model as a script: what the server says and what the user does go in, what is to be seen comes out."""

from __future__ import annotations

import pytest

from chat.messages import (
    Joined,
    Left,
    Mark,
    Marked,
    Page,
    PageEnd,
    Presence,
    Refused,
    RoomState,
    Say,
    Tell,
    TopicSet,
    Typist,
    Welcome,
)
from chat.values import Cursor, Person
from client.model import Link, mentions
from client.roomview import Fate
from tests.client.scenes import NOON, enter, model, said, tell


def test_what_others_say_is_unread_until_it_is_marked() -> None:
    scene = model()
    tell(scene, [said(1), said(2)])
    room = scene.rooms["lobby"]
    assert room.unread == 2
    assert scene.mark(room) == [Mark("lobby", 2)]
    assert (room.unread, scene.mark(room)) == (0, [])


def test_what_is_said_by_the_user_alone_counts_as_read() -> None:
    scene = model()
    tell(scene, [said(1, author="bob")])
    assert scene.rooms["lobby"].unread == 0


def test_an_own_message_behind_something_unread_doesnt_hide_it() -> None:
    scene = model()
    tell(scene, [said(1), said(2, author="bob")])
    assert scene.rooms["lobby"].unread == 2


def test_a_message_that_comes_twice_counts_once() -> None:
    scene = model()
    tell(scene, [said(1, "hi bob"), said(1, "hi bob")])
    assert (len(scene.rooms["lobby"].entries), scene.rooms["lobby"].mentions) == (1, 1)


def test_what_was_read_on_another_terminal_is_read_here() -> None:
    scene = model()
    tell(scene, [said(1), said(2, "bob?"), said(3)])
    scene.apply(Marked("lobby", 2))
    assert (scene.rooms["lobby"].unread, scene.rooms["lobby"].mentions) == (1, 1)
    scene.apply(Marked("lobby", 3))
    assert (scene.rooms["lobby"].unread, scene.rooms["lobby"].mentions) == (0, 0)


def test_a_mention_calls_once_and_a_replayed_one_never() -> None:
    scene = model(last=5)
    tell(scene, [said(5, "bob, old news"), said(6, "bob, look"), said(7, "nothing")])
    assert [call.seq for call in scene.calls] == [6]
    assert scene.rooms["lobby"].mentions == 2


@pytest.mark.parametrize(("notify", "called"), [("mentions", [2]), ("all", [1, 2]), ("none", [])])
def test_what_calls_is_what_the_user_has_chosen(notify: str, called: list[int]) -> None:
    scene = model()
    scene.notify = notify
    tell(scene, [said(1, "hello"), said(2, "hello bob")])
    assert [call.seq for call in scene.calls] == called


def test_a_muted_room_and_an_ignored_person_call_nobody() -> None:
    scene = model()
    scene.ignored, scene.muted = {"eve"}, {"lobby"}
    tell(scene, [said(1, "bob", author="eve")])
    assert scene.rooms["lobby"].mentions == 0
    tell(scene, [said(2, "bob")])
    assert (scene.calls, scene.rooms["lobby"].mentions) == ([], 1)


def test_every_message_of_a_direct_room_calls() -> None:
    scene = model()
    enter(scene, "@alice@bob", direct=True)
    tell(scene, [said(1, "no name in it", room="@alice@bob")])
    assert [call.room for call in scene.calls] == ["@alice@bob"]
    assert scene.rooms["@alice@bob"].title == "alice"


@pytest.mark.parametrize(
    ("text", "named"),
    [("bob", True), ("Bob!", True), ("(@bob)", True), ("hi BOB,", True), ("bobby", False), ("", False)],
)
def test_a_mention_is_the_name_as_a_word(text: str, named: bool) -> None:
    assert mentions(text, "bob") is named


def test_the_room_to_look_at_next_is_the_one_with_a_mention() -> None:
    scene = model()
    for room in ("aaa", "ops"):
        enter(scene, room)
    tell(scene, [said(1, "news", room="aaa"), said(1, "bob: fire", room="ops")])
    news = scene.next_with_news()
    assert news is not None and news.name == "ops"
    scene.muted = {"ops"}
    news = scene.next_with_news()
    assert news is not None and news.name == "aaa"


def test_an_own_message_waits_dimmed_and_its_event_takes_its_place() -> None:
    scene = model()
    scene.sending(Say("m1", "lobby", "hi"), NOON)
    scene.sending(Say("m1", "lobby", "hi"), NOON)  # once more, after a reconnect
    assert scene.pending == 1
    tell(scene, [said(1, "hi", author="bob", label="m1")])
    assert (scene.pending, scene.rooms["lobby"].own) == (0, [])


def test_a_refused_message_stays_with_its_reason_until_it_is_dropped() -> None:
    scene = model()
    scene.sending(Say("m1", "lobby", "hi"), NOON)
    scene.apply(Refused("m1", "full", "The disk is full."))
    own = scene.refused()
    assert own is not None and (own.fate, own.reason, scene.pending) == (Fate.REFUSED, "The disk is full.", 0)
    assert scene.drop_own("m1") is own
    assert scene.refused() is None


def test_a_direct_message_waits_in_the_room_of_both() -> None:
    scene = model()
    enter(scene, "@alice@bob", direct=True)
    scene.sending(Tell("t", "alice", "psst"), NOON)
    assert [own.command.label for own in scene.rooms["@alice@bob"].own] == ["t"]


def test_one_page_of_a_room_is_fetched_at_a_time() -> None:
    scene = model(last=300)
    room = scene.rooms["lobby"]
    (page,) = scene.fetch(room, 301)
    assert page == Page("label-1", "lobby", 301, 100)
    assert scene.fetch(room, 301) == []
    scene.apply(PageEnd("label-1", "lobby", 201))
    assert scene.fetch(room, 201) == [Page("label-2", "lobby", 201, 100)]


def test_a_page_that_was_on_its_way_when_the_link_broke_is_asked_for_anew() -> None:
    scene = model(last=300)
    scene.fetch(scene.rooms["lobby"], 301)
    scene.waiting(3, "lost")
    assert (scene.link, scene.fetch(scene.rooms["lobby"], 301)) == (Link.WAITING, [])
    scene.connected(Welcome("bob", "box", NOON, 1))
    assert scene.fetch(scene.rooms["lobby"], 301)


def test_after_a_reconnect_what_came_without_a_hole_isnt_replayed() -> None:
    scene = model(last=10)
    tell(scene, [said(11), said(12), said(14)])
    assert scene.cursors() == (Cursor("lobby", 12),)


def test_a_room_that_was_left_elsewhere_is_gone_after_the_login() -> None:
    scene = model()
    enter(scene, "ops")
    scene.show("ops")
    scene.settled({"lobby"})
    assert (set(scene.rooms), scene.current) == ({"lobby"}, "lobby")


def test_members_come_and_go_and_their_state_follows() -> None:
    scene = model()
    room = scene.rooms["lobby"]
    scene.apply(Joined("lobby", 1, NOON, "carol", ""))
    scene.apply(Presence((Person("alice", "away"), Person("nobody", "online"))))
    assert room.members == {"alice": "away", "bob": "online", "carol": "online"}
    scene.apply(Left("lobby", 1, NOON + 1, "carol", "x"))
    assert (room.count, "carol" in room.members) == (2, False)
    scene.apply(Left("lobby", 1, NOON + 2, "bob", "y"))
    assert (scene.rooms, scene.current) == ({}, "")


def test_a_topic_is_the_newest_that_was_set() -> None:
    scene = model()
    scene.apply(TopicSet("lobby", 1, NOON, "alice", "t", "plans"))
    assert scene.rooms["lobby"].topic == "plans"


def test_typing_ends_with_the_message_and_with_going_offline() -> None:
    scene = model()
    room = scene.rooms["lobby"]
    for end in (said(1), Presence((Person("alice", "offline"),))):
        scene.apply(Typist("lobby", "alice"))
        assert list(room.typing) == ["alice"]
        scene.apply(end)
        assert not room.typing
    scene.apply(Typist("lobby", "bob"))  # from the same user's other terminal
    assert not room.typing


def test_opening_a_room_remembers_where_the_user_stopped() -> None:
    scene = model(last=9, read=4)
    assert scene.rooms["lobby"].stopped == 4
    scene.mark(scene.rooms["lobby"])
    scene.show("lobby")
    assert scene.rooms["lobby"].stopped is None


def test_a_room_that_was_never_read_has_no_such_place() -> None:
    assert model(last=9).rooms["lobby"].stopped is None


def test_a_state_without_members_keeps_those_that_are_known() -> None:
    scene = model()
    scene.apply(RoomState("", "lobby", False, "", 0, 900, (), 0))
    assert (scene.rooms["lobby"].count, set(scene.rooms["lobby"].members)) == (900, {"alice", "bob"})
