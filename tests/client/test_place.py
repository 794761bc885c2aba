"""The place in a room: each message once and in order, holes filled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat.messages import PageEnd, Said
from client.place import PAGE_SIZE, Place


def said(seq: int) -> Said:
    return Said("r", seq, 0.0, "bob", f"l{seq}", str(seq))


def test_live_begins_after_the_rooms_newest() -> None:
    place = Place(None)
    assert place.take(said(4)) is None
    place.begin(4)
    assert [bool(place.take(said(seq))) for seq in (4, 5, 5, 6)] == [False, True, False, True]


def test_since_is_not_moved_by_the_rooms_newest() -> None:
    place = Place(0)
    place.begin(100)
    assert place.shown == 0
    assert place.take(said(1))


def test_a_hole_is_asked_for_once_and_nothing_is_shown_before_it() -> None:
    place = Place(0)
    assert place.take(said(3)) is None
    page = place.ask("r", "p1")
    assert page is not None and page.before == PAGE_SIZE + 1
    assert place.ask("r", "p2") is None
    assert all(place.take(said(seq)) for seq in (1, 2, 3))
    assert place.page_ended(PageEnd("p1", "r", 1))
    assert place.ask("r", "p3") is None


def test_a_hole_that_the_server_cannot_fill_is_told() -> None:
    place = Place(0)
    place.take(said(3))
    place.ask("r", "p1")
    assert not place.page_ended(PageEnd("p1", "r", 3))


def test_another_page_is_nobodys_business() -> None:
    place = Place(0)
    place.take(said(3))
    place.ask("r", "p1")
    assert place.page_ended(PageEnd("other", "r", 3))
    assert not place.refused("other")
    assert place.refused("p1")
    assert place.ask("r", "p2") is not None


def test_a_new_connection_forgets_what_was_asked_on_the_old() -> None:
    place = Place(2)
    place.take(said(9))
    place.ask("r", "p1")
    place.lost()
    assert place.ask("r", "p2") is None  # the replay brings it
    assert place.take(said(3))


@given(st.lists(st.integers(1, 600)), st.integers(0, 600))
def test_any_stream_with_holes_and_repeats_is_shown_whole_and_in_order(arrivals: list[int], since: int) -> None:
    place = Place(since)
    shown: list[int] = []
    newest = since
    queue = [*arrivals]
    pages = 0
    while queue or (page := place.ask("r", f"p{pages}")):
        if not queue:
            assert page is not None
            first = max(1, page.before - page.limit)
            stored = [seq for seq in range(first, page.before) if seq <= newest]
            for seq in stored:
                message = place.take(said(seq))
                shown += [message.seq] if message else []
            assert place.page_ended(PageEnd(page.label, "r", first))
            pages += 1
            continue
        seq = queue.pop(0)
        newest = max(newest, seq)
        message = place.take(said(seq))
        shown += [message.seq] if message else []
    assert shown == list(range(since + 1, newest + 1))
