"""Who gets what: shares of a batch, rooms joined together, and each worker's own membership."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.parcels import (
    Detach,
    Enter,
    Membership,
    Parcel,
    ToConnection,
    ToPerson,
    ToRoom,
    coalesce,
    share,
    worker_of,
)
from server.router import Router

parcels = st.lists(
    st.builds(ToRoom, st.sampled_from("rst"), st.tuples(st.binary(min_size=1, max_size=3)), st.integers(0, 9))
    | st.builds(ToConnection, st.integers(1, 4), st.tuples(st.binary(max_size=3)))
    | st.builds(Membership, st.sampled_from("ab"), st.sampled_from("rst"), st.booleans())
    | st.builds(Detach, st.integers(1, 4)),
    max_size=20,
)


def what_each_room_hears(batch: list[Parcel], room: str) -> list[object]:
    """A room's messages, one by one, and all that could change who hears them."""
    heard: list[object] = []
    for parcel in batch:
        if not isinstance(parcel, ToRoom):
            heard.append(parcel)
        elif parcel.room == room:
            heard += parcel.messages
    return heard


@given(parcels)
def test_joining_keeps_each_rooms_order_and_who_is_in_it(batch: list[Parcel]) -> None:
    for room in "rst":
        assert what_each_room_hears(coalesce(batch), room) == what_each_room_hears(batch, room)


@given(parcels)
def test_a_joined_parcel_ends_where_its_last_event_stands(batch: list[Parcel]) -> None:
    before = [parcel for parcel in batch if isinstance(parcel, ToRoom)]
    after = [parcel for parcel in coalesce(batch) if isinstance(parcel, ToRoom)]
    assert max((p.position for p in after), default=0) == max((p.position for p in before), default=0)


def test_a_busy_room_becomes_one_parcel() -> None:
    batch: list[Parcel] = [ToRoom("r", (bytes([number]),), number) for number in range(100)]
    assert coalesce(batch) == [ToRoom("r", tuple(bytes([number]) for number in range(100)), 99)]


@given(parcels, st.integers(1, 4))
def test_each_connection_has_one_worker_and_rooms_have_all(batch: list[Parcel], workers: int) -> None:
    shares = [share(batch, worker, workers) for worker in range(workers)]
    for parcel in batch:
        if isinstance(parcel, (ToRoom, Membership, ToPerson)):
            assert all(parcel in own for own in shares)
        else:
            assert [parcel in own for own in shares].index(True) == worker_of(parcel.connection, workers)
            assert sum(parcel in own for own in shares) == 1


def entered(*people: tuple[int, str]) -> Router:
    router = Router()
    for connection, name in people:
        router.enter(Enter(connection, name, ("lobby",)))
    return router


def test_one_person_at_several_terminals_hears_at_each() -> None:
    router = entered((1, "bob"), (2, "bob"), (3, "alice"))
    assert set(router.in_room("lobby")) == {1, 2, 3}
    assert set(router.of_person("bob")) == {1, 2}
    router.change(Membership("bob", "tea", True))
    assert set(router.in_room("tea")) == {1, 2}
    router.change(Membership("bob", "lobby", False))
    assert set(router.in_room("lobby")) == {3}
    router.forget(1)
    assert set(router.in_room("tea")) == {2} == set(router.of_person("bob"))
    assert router.name_of(1) == "" and router.name_of(2) == "bob"


def test_nothing_stays_of_those_who_are_gone() -> None:
    router = entered((1, "bob"), (2, "alice"))
    router.change(Membership("carol", "lobby", True))  # not connected here
    for connection in (1, 2, 2, 7):
        router.forget(connection)
    assert len(router) == 0
    assert not (router._connections_of or router._rooms_of or router._in_room or router._name_of)
