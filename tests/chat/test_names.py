"""Which names are allowed, when two are the same, and when two look the same."""

from __future__ import annotations

import pytest
from confusable_homoglyphs import confusables
from hypothesis import given
from hypothesis import strategies as st

from chat import names
from chat.faults import PeerFault

name_like = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.text("aB0._-ßéﬁａ\u0301עا", max_size=10)


def allowed(name: str) -> bool:
    """Whether the server would keep a name as it is."""
    try:
        return names.room(name) == name
    except PeerFault:
        return False


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("bob", "bob"), ("Bob", "bob"), ("ｂｏｂ", "bob"), ("Zoë", "zoë"), ("Zoe\u0308", "zoë"), ("ÉMILE", "émile"),
        ("李小龙", "李小龙"), ("דוד", "דוד"), ("नरेन्द्र", "नरेन्द्र"), ("a.b_c-d", "a.b_c-d"), ("7of9", "7of9"),
        ("x" * 32, "x" * 32),
    ],
)  # fmt: skip
def test_a_name_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert names.person(typed) == kept


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "a b", "a\tb", "@bob", "a@b", "#room", "-bob", ".bob", "_bob", "\u0301a", "bob\x1b", "bob\u202e",
        "bob\u200d", "bob\u00ad", "a/b", "a\\b", "☃", "😀", "½", "x" * 33, "ﷺ" * 32, "\ue000", "a\u0300" * 33, "דa",
        "e" + 5 * "\u0301",
    ],
)  # fmt: skip
def test_what_is_no_name_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(PeerFault) as fault:
        names.person(name)
    assert fault.value.code == "bad_name" and fault.value.sentence.endswith(".")


def test_rooms_have_longer_names_and_a_code_of_their_own() -> None:
    assert names.room("x" * names.MAX_ROOM) == "x" * 64
    with pytest.raises(PeerFault) as fault:
        names.room("x" * 65)
    assert fault.value.code == "bad_room"


@given(name_like)
def test_any_text_is_a_name_or_a_fault_and_a_kept_name_stays(name: str) -> None:
    for fold in (names.person, names.room):
        try:
            kept = fold(name)
        except PeerFault as fault:
            assert fault.code in ("bad_name", "bad_room")
        else:
            assert fold(kept) == kept
            assert names.skeleton(names.skeleton(kept)) == names.skeleton(kept)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bob", "b0b"), ("alice", "аlice"), ("alice", "а1ісе"), ("scope", "ѕсоре"), ("admin", "adrnin"),
        ("lobby", "1obby"), ("straße", "strasse"), ("ø", "o\u0337"), ("ᗰark", "mark"), ("كلام", "ڪلام"), ("ه", "ە"),
    ],
)  # fmt: skip
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert names.skeleton(one) == names.skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"), [("bob", "rob"), ("anna", "ana"), ("zoë", "zoe"), ("李", "季"), ("a.b", "ab")]
)
def test_names_that_look_different_have_two(one: str, other: str) -> None:
    assert names.skeleton(one) != names.skeleton(other)


def test_nearly_every_pair_of_the_published_table_has_one_skeleton() -> None:
    """Not all: UTS 39 decomposes first, and then a ring and a dot above, say, are two characters."""
    table = {shape.strip("\u200e"): [entry["c"].strip("\u200e") for entry in entries]
             for shape, entries in confusables.confusables_data.items()}  # fmt: skip
    pairs = [(one, other) for one in table for other in table[one] if allowed(one) and allowed(other)]
    missed = [pair for pair in pairs if names.skeleton(pair[0]) != names.skeleton(pair[1])]
    assert len(pairs) > 1_000
    assert len(missed) <= 16
    assert all(names.skeleton(names.skeleton(shape)) == names.skeleton(shape) for shape in table if allowed(shape))


def test_a_direct_room_is_the_same_for_both_and_cannot_be_named_otherwise() -> None:
    room = names.direct("bob", "alice")
    assert room == names.direct("alice", "bob")
    assert names.is_direct(room) and not names.is_direct("lobby")
    assert (names.partner(room, "bob"), names.partner(room, "alice")) == ("alice", "bob")
    assert not allowed(room)
