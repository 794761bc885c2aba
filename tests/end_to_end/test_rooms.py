"""Rooms: made by joining, left, given a topic; who is in them and how they are."""

from __future__ import annotations

from chat.messages import (
    Join,
    Joined,
    Leave,
    Left,
    Presence,
    Refused,
    RoomList,
    Rooms,
    RoomState,
    Said,
    Say,
    Status,
    Topic,
    TopicSet,
    Typing,
    Typist,
    Who,
)
from chat.values import AWAY, OFFLINE, ONLINE, Person
from client.connection import new_label
from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess
from tests.end_to_end.talker import Talker


def join(talker: Talker, room: str) -> RoomState:
    label = new_label()
    talker.connection.send(Join(label, room))
    state = talker.until(lambda m: isinstance(m, RoomState) and m.label == label, f"joins {room}")
    assert isinstance(state, RoomState)
    return state


def who(talker: Talker, room: str) -> tuple[Person, ...]:
    state = talker.ask(Who(new_label(), room))
    assert isinstance(state, RoomState)
    return state.members


def test_a_room_is_made_by_joining_and_named_once_however_it_is_written(server: ServerProcess, people: People) -> None:
    with (
        Talker(server.address, people.home("bob"), "bob") as bob,
        Talker(server.address, people.home("alice"), "alice") as alice,
    ):
        assert join(bob, "Tea.Room").room == "tea.room"
        state = join(alice, "TEA.room")
        assert (state.room, state.count, state.direct) == ("tea.room", 2, False)
        bob.until(lambda m: isinstance(m, Joined) and (m.room, m.author) == ("tea.room", "alice"), "sees alice join")
        alice.ask(Say(new_label(), "tea.room", "hi"))
        bob.until(lambda m: isinstance(m, Said) and m.text == "hi", "hears hi")


def test_who_has_left_hears_no_more_and_cannot_speak(server: ServerProcess, people: People) -> None:
    with (
        Talker(server.address, people.home("bob"), "bob") as bob,
        Talker(server.address, people.home("alice"), "alice") as alice,
    ):
        join(bob, "r")
        join(alice, "r")
        assert isinstance(bob.ask(Leave(new_label(), "r")), Left)
        alice.until(lambda m: isinstance(m, Left) and m.author == "bob", "sees bob leave")
        alice.ask(Say(new_label(), "r", "is he gone?"))
        refusal = bob.ask(Say(new_label(), "r", "am I?"))
        assert isinstance(refusal, Refused) and refusal.code == "not_a_member"
        assert "join" in refusal.sentence
        join(bob, "r")
        alice.ask(Say(new_label(), "r", "back!"))
        bob.until(lambda m: isinstance(m, Said) and m.text == "back!", "hears again")
        assert bob.texts("r") == ["back!"]


def test_a_topic_is_seen_at_once_and_by_those_who_come_later(server: ServerProcess, people: People) -> None:
    with (
        Talker(server.address, people.home("bob"), "bob") as bob,
        Talker(server.address, people.home("alice"), "alice") as alice,
    ):
        join(bob, "r")
        join(alice, "r")
        bob.ask(Topic(new_label(), "r", "Tea at five"))
        alice.until(lambda m: isinstance(m, TopicSet) and (m.topic, m.author) == ("Tea at five", "bob"), "the topic")
    with Talker(server.address, people.home("carol"), "carol") as carol:
        assert join(carol, "r").topic == "Tea at five"
        assert isinstance(carol.ask(Topic(new_label(), "r", "")), TopicSet)
        listing = carol.ask(Rooms(new_label()))
        assert isinstance(listing, RoomList)
        assert [(entry.room, entry.members, entry.topic) for entry in listing.rooms] == [("r", 3, "")]


def test_members_are_told_who_is_online_away_and_offline(server: ServerProcess, people: People) -> None:
    with Talker(server.address, people.home("bob"), "bob") as bob:
        join(bob, "r")
        with Talker(server.address, people.home("alice"), "alice") as alice:
            join(alice, "r")
            assert set(who(bob, "r")) == {Person("alice", ONLINE), Person("bob", ONLINE)}
            alice.connection.send(Status(True))
            told = Person("alice", AWAY)
            bob.until(lambda m: isinstance(m, Presence) and told in m.people, "alice is away")
            assert told in who(bob, "r")
        gone = Person("alice", OFFLINE)
        bob.until(lambda m: isinstance(m, Presence) and gone in m.people, "alice is offline")
        assert gone in who(bob, "r")


def test_actions_and_typing(server: ServerProcess, people: People) -> None:
    with (
        Talker(server.address, people.home("bob"), "bob") as bob,
        Talker(server.address, people.home("alice"), "alice") as alice,
    ):
        join(bob, "r")
        join(alice, "r")
        bob.connection.send(Typing("r"))
        alice.until(lambda m: isinstance(m, Typist) and m == Typist("r", "bob"), "bob types")
        bob.ask(Say(new_label(), "r", "waves", action=True))
        said = alice.until(lambda m: isinstance(m, Said), "bob's action")
        assert isinstance(said, Said) and said.action and said.text == "waves"


def test_rooms_of_others_are_closed_to_who_is_no_member(server: ServerProcess, people: People) -> None:
    with (
        Talker(server.address, people.home("bob"), "bob") as bob,
        Talker(server.address, people.home("mallory"), "mallory") as mallory,
    ):
        join(bob, "r")
        for command in (Say(new_label(), "r", "x"), Topic(new_label(), "r", "x"), Leave(new_label(), "r")):
            refusal = mallory.ask(command)
            assert isinstance(refusal, Refused) and refusal.code == "not_a_member"
        refusal = mallory.ask(Who(new_label(), "r"))
        assert isinstance(refusal, Refused) and refusal.code == "not_a_member"
