"""The clerk as a script: batches of intake in, parcels out, with a real database behind."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from chat.codec import decode
from chat.messages import (
    QUIET_ROOM,
    Command,
    Goodbye,
    Join,
    Joined,
    Leave,
    Login,
    Mark,
    Page,
    Ping,
    Pong,
    Presence,
    Refused,
    RoomState,
    Said,
    Say,
    Status,
    Tell,
    Typing,
    Typist,
    Welcome,
    Who,
)
from chat.values import Cursor
from server.clerk import Clerk
from server.parcels import (
    Arrived,
    Asked,
    Attach,
    Departed,
    Detach,
    Enter,
    Expel,
    Membership,
    Parcel,
    ReadPage,
    Replay,
    ToConnection,
    ToPerson,
    ToRoom,
)
from server.store import Store


class Desk:
    """A clerk with people at connections 1, 2, 3 … who talk to it."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.clerk = Clerk(self.store, "server")
        self._last = 0

    def arrive(self, name: str, *cursors: Cursor, key: str = "") -> tuple[int, list[Parcel]]:
        self._last += 1
        arrived = Arrived(self._last, (key or name).encode(), b"k" * 32)
        return self._last, self.clerk.work([arrived, Asked(self._last, 100.0, Login(name, cursors))])

    def ask(self, connection: int, *commands: Command) -> list[Parcel]:
        return self.clerk.work([Asked(connection, 100.0, command) for command in commands])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "chat.db")


def told(parcels: Iterable[Parcel], kind: type[Any] = ToConnection) -> list[Any]:
    """The messages in parcels of a kind."""
    bodies = [body for parcel in parcels if isinstance(parcel, kind) for body in parcel.messages]
    return [message for body in bodies for message in decode(body)]


def test_a_login_attaches_enters_and_is_welcomed_in_this_order(desk: Desk) -> None:
    bob, parcels = desk.arrive("Bob")
    assert parcels == [
        Attach(bob, b"k" * 32),
        Enter(bob, "bob", ()),
        parcels[2],
    ]
    assert told(parcels) == [Welcome("bob", "server", 100.0, 0)]


def test_a_join_tells_the_room_then_who_joined_what_it_is(desk: Desk) -> None:
    bob, _ = desk.arrive("bob")
    parcels = desk.ask(bob, Join("j", "lobby"))
    assert [type(parcel) for parcel in parcels] == [Membership, ToRoom, ToConnection]
    assert told(parcels, ToRoom) == [Joined("lobby", 1, 100.0, "bob", "j")]
    (state,) = told(parcels)
    assert isinstance(state, RoomState)
    assert (state.label, state.room, state.last, state.count) == ("j", "lobby", 0, 1)


def test_a_message_goes_to_its_room_with_the_journals_position(desk: Desk) -> None:
    bob, _ = desk.arrive("bob")
    desk.ask(bob, Join("j", "lobby"))
    (parcel,) = desk.ask(bob, Say("s", "lobby", "hi"))
    assert isinstance(parcel, ToRoom) and parcel.position == 2  # after the join
    assert told([parcel], ToRoom) == [Said("lobby", 1, 100.0, "bob", "s", "hi")]


def test_what_was_sent_twice_is_stored_once_and_answered_twice(desk: Desk) -> None:
    bob, _ = desk.arrive("bob")
    desk.ask(bob, Join("j", "lobby"))
    first, second = desk.ask(bob, Say("s", "lobby", "hi"), Say("s", "lobby", "hi"))  # in one batch
    third, fourth = desk.ask(bob, Say("s", "lobby", "hi"), Say("t", "lobby", "ho"))  # and in a later one
    said = Said("lobby", 1, 100.0, "bob", "s", "hi")
    assert told([first], ToRoom) == told([second]) == told([third]) == [said]
    assert told([fourth], ToRoom) == [Said("lobby", 2, 100.0, "bob", "t", "ho")]


def test_joining_again_with_the_same_label_stores_nothing_and_answers(desk: Desk) -> None:
    bob, _ = desk.arrive("bob")
    desk.ask(bob, Join("j", "lobby"))
    (answer,) = desk.ask(bob, Join("j", "lobby"))
    assert isinstance(answer, ToConnection)
    assert isinstance(told([answer])[0], RoomState)


def test_a_taken_name_is_told_goodbye_and_what_it_sent_since_is_void(desk: Desk) -> None:
    desk.arrive("bob")
    thief, parcels = desk.arrive("bob", key="another")
    assert isinstance(parcels[-1], Expel)
    (goodbye,) = told(parcels, Expel)
    assert isinstance(goodbye, Goodbye) and goodbye.code == "name_taken"
    assert desk.ask(thief, Join("j", "lobby"), Ping("p")) == []
    assert desk.clerk.work([Departed(thief)]) == [Detach(thief)]


def test_a_refusal_goes_to_the_connection_that_asked(desk: Desk) -> None:
    bob, _ = desk.arrive("bob")
    (refused,) = told(desk.ask(bob, Say("s", "lobby", "hi")))
    assert isinstance(refused, Refused) and (refused.label, refused.code) == ("s", "not_a_member")


def test_cursors_are_replayed_after_the_rooms_were_told(desk: Desk) -> None:
    bob, _ = desk.arrive("bob")
    desk.ask(bob, Join("j", "lobby"), Say("s", "lobby", "hi"))
    later, parcels = desk.arrive("bob", Cursor("lobby", 0), Cursor("elsewhere", 3))
    assert [type(message) for message in told(parcels)] == [Welcome, RoomState]
    assert parcels[-1] == Replay(later, "lobby", 0, 2)


def test_a_direct_message_introduces_the_room_to_both(desk: Desk) -> None:
    bob, _ = desk.arrive("bob")
    desk.arrive("alice")
    parcels = desk.ask(bob, Tell("t", "alice", "psst"))
    introduced = [parcel.name for parcel in parcels if isinstance(parcel, ToPerson)]
    assert introduced == ["bob", "alice"]
    assert isinstance(told(parcels, ToRoom)[-1], Said)


def test_ping_page_and_who_are_answered_through_the_pipeline(desk: Desk) -> None:
    bob, _ = desk.arrive("bob")
    desk.ask(bob, Join("j", "lobby"))
    pong, page, who = desk.ask(bob, Ping("p"), Page("g", "lobby", 9, 5), Who("w", "lobby"))
    assert told([pong]) == [Pong("p")]
    assert page == ReadPage(bob, "g", "lobby", 9, 5)
    assert told([who])[0].label == "w"


def test_typing_is_told_and_not_stored(desk: Desk) -> None:
    bob, _ = desk.arrive("bob")
    desk.ask(bob, Join("j", "lobby"))
    before = desk.store.position
    (parcel,) = desk.ask(bob, Typing("lobby"))
    assert isinstance(parcel, ToRoom) and parcel.position == 0  # nothing that a replay could bring
    assert told([parcel], ToRoom) == [Typist("lobby", "bob")]
    assert desk.store.position == before


def test_presence_is_told_once_a_round_and_only_if_it_changed(desk: Desk) -> None:
    bob, _ = desk.arrive("bob")
    desk.ask(bob, Join("j", "lobby"))
    assert [p.name for p in told(desk.clerk.tell_presence(), ToRoom)[0].people] == ["bob"]
    assert desk.clerk.tell_presence() == []
    desk.ask(bob, Status(True), Status(False))  # away and back between two rounds
    assert desk.clerk.tell_presence() == []
    desk.ask(bob, Status(True))
    (notice,) = told(desk.clerk.tell_presence(), ToRoom)
    assert isinstance(notice, Presence) and notice.people[0].status == "away"
    second, _ = desk.arrive("bob")
    assert told(desk.clerk.tell_presence(), ToRoom)[0].people[0].status == "online"
    desk.clerk.work([Departed(second), Departed(bob)])
    assert told(desk.clerk.tell_presence(), ToRoom)[0].people[0].status == "offline"


def test_a_crowded_room_is_quiet(desk: Desk) -> None:
    for number in range(QUIET_ROOM + 1):
        connection, _ = desk.arrive(f"x{number}x")
        parcels = desk.ask(connection, Join("j", "lobby"))
    assert [type(parcel) for parcel in parcels] == [Membership, ToPerson, ToConnection]
    assert told(parcels)[0].members == () and told(parcels)[0].count == QUIET_ROOM + 1
    assert desk.clerk.tell_presence() == []
    assert len(told(desk.ask(connection, Who("w", "lobby")))[0].members) == QUIET_ROOM + 1


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    before = Desk(tmp_path / "chat.db")
    bob, _ = before.arrive("bob")
    before.ask(bob, Join("j", "lobby"), Say("s", "lobby", "hi"), Mark("lobby", 1))
    before.store.close()
    after = Desk(tmp_path / "chat.db")
    bob, parcels = after.arrive("bob")
    state = told(parcels)[1]
    assert (state.room, state.last, state.read) == ("lobby", 1, 1)
    assert told(after.ask(bob, Say("s", "lobby", "hi"))) == [Said("lobby", 1, 100.0, "bob", "s", "hi")]
    assert told(after.ask(bob, Say("t", "lobby", "ho")), ToRoom)[0].seq == 2


def test_when_the_disk_is_full_who_needs_it_is_refused_and_the_rest_goes_on(desk: Desk) -> None:
    bob, _ = desk.arrive("bob")
    desk.ask(bob, Join("j", "lobby"))
    pages = desk.store._db.execute("PRAGMA page_count").fetchone()[0]
    desk.store._db.execute(f"PRAGMA max_page_count = {pages}")
    large = [Say(f"s{number}", "lobby", "x" * 16_000) for number in range(20)]
    parcels = desk.ask(bob, Ping("p"), *large)
    answers = told(parcels)
    assert answers[0] == Pong("p")
    assert {answer.code for answer in answers[1:]} == {"storage_full"}
    assert not [parcel for parcel in parcels if isinstance(parcel, ToRoom)]
    assert not [parcel for parcel in desk.ask(bob, Leave("j2", "elsewhere")) if isinstance(parcel, ToRoom)]

    desk.store._db.execute("PRAGMA max_page_count = 1000000")
    (parcel,) = desk.ask(bob, large[0])
    assert told([parcel], ToRoom)[0].seq == 1  # no number was used up
