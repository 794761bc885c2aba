"""The rules of the rooms as scripts: orders in, events or a refusal out."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import pytest

from chat.faults import PeerFault
from chat.messages import (
    MAX_ROOMS,
    Event,
    Join,
    Joined,
    Leave,
    Left,
    Login,
    Mark,
    Said,
    Say,
    Tell,
    Topic,
    TopicSet,
)
from chat.rooms import Claimed, Order, Read, State, apply, decide

KEYS = {name: name.encode().ljust(32) for name in ("alice", "bob", "carol")}


@dataclass
class House:
    """A state with people in it: `do` orders, applies what follows, and gives it."""

    state: State = field(default_factory=State)
    time: float = 100.0

    def do(self, author: str, command: Login | Say | Tell | Join | Leave | Topic | Mark) -> list[Event]:
        before = copy.deepcopy(self.state)
        events = decide(self.state, Order(author, KEYS.get(author, b"?" * 32), self.time, command))
        assert self.state == before  # deciding changes nothing
        for event in events:
            apply(self.state, event)
        return events

    def refusal(self, author: str, command: Login | Say | Tell | Join | Leave | Topic | Mark) -> str:
        with pytest.raises(PeerFault) as fault:
            self.do(author, command)
        assert fault.value.sentence
        return fault.value.code


@pytest.fixture
def house() -> House:
    """Alice, Bob and Carol have names; Alice and Bob are in the lobby."""
    house = House()
    for name in KEYS:
        house.do(name, Login(name))
    house.do("alice", Join("j1", "lobby"))
    house.do("bob", Join("j2", "lobby"))
    return house


# --- names ------------------------------------------------------------------------------------------------------


def test_the_first_key_that_claims_a_name_owns_it() -> None:
    house = House()
    assert house.do("alice", Login("Alice")) == [Claimed(100.0, "alice", KEYS["alice"])]
    assert house.do("alice", Login("ALICE")) == []  # the same key comes back
    assert house.refusal("bob", Login("alice")) == "name_taken"


def test_a_name_that_looks_like_another_is_refused_also_to_its_owner(house: House) -> None:
    assert house.refusal("carol", Login("аlice")) == "name_alike"
    assert house.refusal("alice", Login("a1ice")) == "name_alike"
    assert house.refusal("carol", Login("no name")) == "bad_name"


# --- messages ---------------------------------------------------------------------------------------------------


def test_messages_of_a_room_are_numbered_without_a_hole(house: House) -> None:
    house.do("carol", Join("j", "other"))
    (one,) = house.do("alice", Say("a", "lobby", "hi"))
    (elsewhere,) = house.do("carol", Say("b", "other", "hello"))
    (two,) = house.do("bob", Say("c", "lobby", "waves", action=True))
    assert one == Said("lobby", 1, 100.0, "alice", "a", "hi")
    assert elsewhere == Said("other", 1, 100.0, "carol", "b", "hello")
    assert two == Said("lobby", 2, 100.0, "bob", "c", "waves", action=True)


def test_joins_leaves_and_topics_carry_the_next_messages_number_and_take_none(house: House) -> None:
    house.do("alice", Say("a", "lobby", "one"))
    assert house.do("carol", Join("j", "lobby")) == [Joined("lobby", 2, 100.0, "carol", "j")]
    assert house.do("carol", Topic("t", "lobby", "tea")) == [TopicSet("lobby", 2, 100.0, "carol", "t", "tea")]
    assert house.do("carol", Leave("l", "lobby")) == [Left("lobby", 2, 100.0, "carol", "l")]
    assert house.do("bob", Say("b", "lobby", "two")) == [Said("lobby", 2, 100.0, "bob", "b", "two")]


def test_time_comes_with_the_order_and_may_jump(house: House) -> None:
    house.time = 7.0
    (said,) = house.do("alice", Say("a", "lobby", "hi"))
    assert said == Said("lobby", 1, 7.0, "alice", "a", "hi")


@pytest.mark.parametrize(
    "command", [Say("a", "lobby", "hi"), Leave("a", "lobby"), Topic("a", "lobby", "x"), Mark("lobby", 1)]
)
def test_only_members_act_in_a_room(house: House, command: Say | Leave | Topic | Mark) -> None:
    assert house.refusal("carol", command) == "not_a_member"


def test_a_room_is_found_under_any_writing_of_its_name(house: House) -> None:
    (said,) = house.do("alice", Say("a", "LoBBy", "hi"))
    assert isinstance(said, Said) and said.room == "lobby"
    assert house.refusal("alice", Say("a", "no room", "hi")) == "bad_room"
    assert house.refusal("alice", Say("a", "elsewhere", "hi")) == "not_a_member"


# --- membership -------------------------------------------------------------------------------------------------


def test_joining_twice_changes_nothing(house: House) -> None:
    assert house.do("alice", Join("again", "LOBBY")) == []


def test_leaving_and_coming_back_goes_on_with_the_numbers(house: House) -> None:
    house.do("alice", Say("a", "lobby", "one"))
    for name in ("alice", "bob"):
        house.do(name, Leave(name, "lobby"))
    assert house.state.rooms["lobby"].members == {}
    assert house.do("bob", Join("j", "lobby")) == [Joined("lobby", 2, 100.0, "bob", "j")]


def test_one_person_is_in_so_many_rooms_at_most(house: House) -> None:
    for number in range(MAX_ROOMS):
        house.do("carol", Join("j", f"room{number}"))
    assert house.refusal("carol", Join("j", "another")) == "too_many_rooms"
    assert house.refusal("alice", Tell("t", "carol", "psst")) == "too_many_rooms"
    assert house.refusal("carol", Tell("t", "alice", "psst")) == "too_many_rooms"
    house.do("carol", Leave("l", "room0"))
    assert house.do("alice", Tell("t", "carol", "psst"))


# --- direct messages --------------------------------------------------------------------------------------------


def test_a_direct_message_makes_the_room_of_the_two_once(house: House) -> None:
    room = "@alice@bob"
    assert house.do("bob", Tell("t", "Alice", "psst")) == [
        Joined(room, 1, 100.0, "bob", ""),
        Joined(room, 1, 100.0, "alice", ""),
        Said(room, 1, 100.0, "bob", "t", "psst"),
    ]
    assert house.do("alice", Tell("u", "bob", "yes?")) == [Said(room, 2, 100.0, "alice", "u", "yes?")]
    assert house.do("alice", Say("v", room, "well?")) == [Said(room, 3, 100.0, "alice", "v", "well?")]


def test_who_left_a_direct_room_is_brought_back_by_the_next_message(house: House) -> None:
    house.do("bob", Tell("t", "alice", "psst"))
    house.do("alice", Leave("l", "@alice@bob"))
    joined, said = house.do("bob", Tell("u", "alice", "still there?"))
    assert joined == Joined("@alice@bob", 2, 100.0, "alice", "")
    assert isinstance(said, Said)


def test_nobody_else_gets_into_a_direct_room(house: House) -> None:
    house.do("bob", Tell("t", "alice", "psst"))
    for command in (Join("j", "@alice@bob"), Say("s", "@alice@bob", "hi"), Join("j", "@bob@carol")):
        assert house.refusal("carol", command) == "not_a_member"


def test_a_direct_message_needs_another_person_who_exists(house: House) -> None:
    assert house.refusal("bob", Tell("t", "dave", "psst")) == "no_such_person"
    assert house.refusal("bob", Tell("t", "BOB", "psst")) == "not_yourself"
    assert house.refusal("bob", Tell("t", "no name", "psst")) == "bad_name"


# --- read marks -------------------------------------------------------------------------------------------------


def test_a_read_mark_only_moves_forward_and_never_past_the_last_message(house: House) -> None:
    for label in "abc":
        house.do("alice", Say(label, "lobby", "hi"))
    assert house.do("bob", Mark("lobby", 2)) == [Read("lobby", 2, "bob")]
    assert house.do("bob", Mark("lobby", 2)) == [] == house.do("bob", Mark("lobby", 1))
    assert house.do("bob", Mark("lobby", 4)) == []
    house.do("bob", Leave("l", "lobby"))
    assert ("bob", "lobby") not in house.state.read
