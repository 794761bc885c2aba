"""Whatever people, rooms and even the server call themselves or say: nothing of it is obeyed by a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from chat.beacon import Beacon, Presence, place
from chat.messages import Joined, Left, Refused, RoomState, Said, Say, TopicSet, Typist, Welcome
from chat.text import MAX_MARKS
from chat.values import Person
from client import panes
from client.arrival import _line
from client.attention import notification
from client.completion import Words
from client.entries import draw
from client.finder import Found
from client.headless import as_json
from client.model import Model
from client.plain import Printer
from client.sightings import Line as Sighted
from client.text import Line
from client.who import as_text
from tests.client.scenes import NOON

HOSTILE = {
    "escape sequence": "a\x1b[2J\x1b]0;owned\x07z",
    "C1 control": "a\x9b31m\x90z",
    "bell, backspace, delete": "a\x07\x08\x7fz",
    "carriage return": "a\rz",
    "override": "a\u202egnp.exe\u202cz",
    "isolate": "a\u2066\u2067\u2069z",
    "invisible": "a\u200b\u2060\ufeffz",
    "tags": "a\U000e0041\U000e007fz",
    "line separators": "a\u2028\u2029z",
    "marks": "a" + "\u0301" * 50 + "z",
    "interlinear": "a\ufff9\ufffa\ufffbz",
}
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE)
def bad(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def assert_harmless(shown: Iterable[str], keep: str = "") -> None:
    for text in shown:
        marks = 0
        for char in text:
            category = unicodedata.category(char)
            assert category not in ("Cc", "Cs", "Zl", "Zp") or char in keep, f"{char!r} in {text!r}"
            assert unicodedata.bidirectional(char) not in TURNING, f"{char!r} in {text!r}"
            assert char not in "\u200b\u2060\ufeff\ufff9\ufffa\ufffb" and not 0xE0000 <= ord(char) <= 0xE007F
            marks = marks + 1 if category == "Mn" else 0
            assert marks <= MAX_MARKS


def texts(lines: Iterable[Line]) -> list[str]:
    return [piece.text for line in lines for piece in line]


def told(bad: str) -> Model:
    """A model that a hostile server, and nobody else, has told everything."""
    scene = Model(lambda: "label")
    scene.connected(Welcome(bad, bad, NOON, 1))
    scene.apply(RoomState("", bad, False, bad, 0, 2, (Person(bad, "online"), Person("alice", "away"))))
    scene.settled({bad})
    scene.show(bad)
    scene.apply(Joined(bad, 1, NOON, bad, "j"))
    scene.apply(TopicSet(bad, 1, NOON, bad, "t", bad))
    scene.apply(Left(bad, 1, NOON, "alice", "l"))
    scene.apply(Said(bad, 1, NOON, bad, "s", f"`{bad}` *{bad}* https://{bad}\n```\n{bad}\n```"))
    scene.apply(Said(bad, 2, NOON, bad, "a", bad, True))
    scene.apply(Typist(bad, bad))
    scene.sending(Say("own", bad, bad), NOON)
    scene.apply(Refused("own", "bad", bad))
    scene.notices = [bad]
    return scene


@pytest.mark.parametrize("width", [30, 120])
def test_on_the_screen(bad: str, width: int) -> None:
    scene = told(bad)
    room = scene.room
    assert room is not None
    assert_harmless(texts([panes.topic(scene), panes.status(scene, True)]))
    assert_harmless(texts([*panes.rooms(scene, width), *panes.members(room, width, 9), *panes.notices(scene, width)]))
    items = [*room.entries, *room.own]
    assert len(items) >= 4
    for at in range(len(items)):
        assert_harmless(texts(draw(room, "bob", (), items, at, width)))
    scene.waiting(3, bad)
    assert_harmless(texts([panes.status(scene, True)]))


def test_in_what_tab_offers(bad: str) -> None:
    scene = told(bad)
    for going in (True, False):
        for typed in ("", "a", "/msg a", "/join a"):
            offers = Words(scene, lambda going=going: going).get_completions(Document(typed), CompleteEvent())
            assert_harmless(offer.display_text for offer in offers)


def test_as_plain_lines(bad: str) -> None:
    scene = told(bad)
    printer = Printer(scene)
    assert scene.room is not None
    printer.open(scene.room)
    lines = printer.news()
    assert any("Not sent" in line for line in lines)
    assert_harmless(lines, keep="\n")


def test_a_message_of_many_lines_cant_pass_for_another_persons() -> None:
    scene = told("mallory")
    printer = Printer(scene)
    assert scene.room is not None
    printer.open(scene.room)
    scene.apply(Said("mallory", 3, NOON, "mallory", "f", "hi\n12:00 alice: I owe mallory 100"))
    lines = "\n".join(printer.news())
    assert "alice: I owe" in lines
    assert not any(line.startswith("12:00 alice") for line in lines.split("\n"))


def test_in_notifications(bad: str) -> None:
    ours = notification("title", "body")
    frame = sum(char in "\x1b" for char in ours)
    theirs = notification(bad, bad)
    assert theirs.count("\x1b") == frame
    assert_harmless([theirs.replace("\x1b]", "").replace("\x1b\\", "")])


def test_in_what_headless_clients_print(bad: str) -> None:
    said = Said("r", 1, NOON, bad, "l", bad)
    assert_harmless([as_json(said)])
    whole = Beacon(bytes(32), 1, 1, b"", bad, 5050, (place("10.0.0.1", 24),), "", False, False, 0, 1)
    line = Sighted(whole, ("10.0.0.1", 5050), 0.0, {0: (Presence(bad),)})
    assert_harmless([as_text(line)], keep="\n")
    assert_harmless([_line(1, Found(bytes(32), bad, ("10.0.0.1", 5050), False, 3))])
