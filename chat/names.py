"""Names of people and rooms: which are allowed, when two are the same, and when two look the same.

Only the server decides: Unicode's tables differ between versions, so a client never folds a name for itself but
takes what the server sends.
"""

from __future__ import annotations

import functools
import itertools
import unicodedata

import precis_i18n
from confusable_homoglyphs import confusables

from chat.faults import PeerFault
from chat.text import MAX_MARKS

MAX_PERSON = 32
MAX_ROOM = 64
PUNCTUATION = "._-"
_LRM = "\u200e"

_profile = precis_i18n.get_profile("UsernameCaseMapped")


def person(name: str) -> str:
    """The name as the server keeps and compares it: PRECIS UsernameCaseMapped (RFC 8265), and fewer signs."""
    return _fold(name, MAX_PERSON, "bad_name", "A name")


def room(name: str) -> str:
    """The room's name as the server keeps and compares it. Direct rooms can't be named this way."""
    return _fold(name, MAX_ROOM, "bad_room", "A room's name")


def direct(one: str, other: str) -> str:
    """The name of the room of two people: the same for both, and none that `room` allows."""
    return "@" + "@".join(sorted((one, other)))


def is_direct(room_name: str) -> bool:
    return room_name.startswith("@")


def partner(room_name: str, me: str) -> str:
    """The other one in a direct room."""
    one, other = room_name[1:].split("@")
    return other if one == me else one


def skeleton(name: str) -> str:
    """What a name looks like: names with one skeleton can be taken for each other (UTS 39, section 4).

    Casefolded, because the table maps 0 to O and names are compared without case. Mapped twice, because a prototype
    may hold a character that has a prototype of its own, as such or in lower case (ø is an o and a stroke).
    """
    return _shape(_shape(name).casefold()).casefold()


def _shape(name: str) -> str:
    decomposed = unicodedata.normalize("NFD", name)
    return unicodedata.normalize("NFD", "".join(_prototypes().get(char, char) for char in decomposed))


@functools.lru_cache(maxsize=1024)  # the same few names come with nearly every command; PRECIS takes 25 µs for each
def _fold(name: str, most: int, code: str, what: str) -> str:
    rule = f"{what} has 1 to {most} letters, digits or any of {PUNCTUATION} and no spaces."
    try:
        folded: str = _profile.enforce(name)
    except UnicodeEncodeError:
        raise PeerFault(code, rule) from None
    if len(folded) > most or not all(char.isalnum() or char in PUNCTUATION or _is_mark(char) for char in folded):
        raise PeerFault(code, rule)
    if not folded[0].isalnum():
        raise PeerFault(code, f"{what} begins with a letter or a digit.")
    apart = itertools.groupby(unicodedata.normalize("NFD", folded), _is_mark)
    if any(is_mark and len(list(run)) > MAX_MARKS for is_mark, run in apart):
        raise PeerFault(code, f"{what} has at most {MAX_MARKS} marks on a letter.")
    return folded


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Mc")


@functools.cache
def _prototypes() -> dict[str, str]:
    """For each character that looks like another: the shape that stands for all that look so.

    The library's table holds both directions of UTS 39's mapping, without saying which is which, and a left-to-right
    mark on both sides of what is written from right to left. A prototype and its sources form a star: its middle
    is the one of several characters if there is one (sources have one), else the one with the most neighbours.
    """
    neighbours = {
        shape.strip(_LRM): [entry["c"].strip(_LRM) for entry in entries]
        for shape, entries in confusables.confusables_data.items()
    }
    prototypes: dict[str, str] = {}
    for shape in neighbours:
        alike = [shape, *neighbours[shape]]
        middle = min(alike, key=lambda other: (len(other) == 1, -len(neighbours.get(other, ())), other))
        prototypes[shape] = middle
    return prototypes
