"""A server's data folder with a past in it, the same to the second in every run; and the keys of whom it belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from chat.messages import Joined, Said, TopicSet
from chat.rooms import Claimed, Read
from chat.secure import public_key
from client.home import Home
from server.store import Store

MORNING = 1_763_971_200.0
"""2025-11-24 08:00:00 UTC."""
DAY = 86_400.0

FAMILY, FLAG, HEART, THUMB = "👩‍👩‍👧", "🇩🇪", "❤️", "👍🏽"
DANA, LI = "דנה", "李雷"

LOBBY = [
    (-DAY, "alice", "yesterday's last word"),
    (0.0, "alice", "good morning!"),
    (20.0, "alice", "the demo is *today*, run `make demo` before"),
    (90.0, "carol", "see https://example.org/a/rather/long/path/that/does/not/fit/into/one/line?and=a&query=too#part"),
    (200.0, LI, "你好，世界。今天的演示在三点开始，大家都来吗？我们在大房间里见面，请带上适配器。"),
    (260.0, DANA, "שלום לכולם"),
    (400.0, "alice", f"{FAMILY} {FLAG} {HEART} {THUMB} e\u0301 a\u0308o\u0308u\u0308|end"),
    (500.0, "carol", "all of it:\n```\nfor word in words:\n    print(word)\n```"),
    (900.0, "alice", "bob, did you see it?"),
    (960.0, "carol", "waves"),
]
READ = 7
"""Up to here bob has read."""


def write(data: Path, homes: dict[str, Home]) -> None:
    """Make the database of a server on which bob and his friends have talked; `homes` are theirs."""
    data.mkdir()
    store = Store(data / "chat.db")
    people = [*homes, "carol", LI, DANA]
    keys = {name: public_key(homes[name].private_key()) if name in homes else name.encode() * 9 for name in people}
    store.commit(store.place(Claimed(1.0, name, key[:32]) for name, key in keys.items()))
    store.commit(store.place([*_lobby(people), *_ops(), *_direct(), Read("lobby", READ, "bob")]))
    store.close()


def _lobby(people: list[str]) -> Iterable[Joined | Said | TopicSet]:
    for name in people:
        yield Joined("lobby", 1, MORNING - 2 * DAY, name, "")
    yield TopicSet("lobby", 1, MORNING - 2 * DAY, "alice", "t", "Demo at 15:00, big room 🎉")
    for seq, (after, author, text) in enumerate(LOBBY, start=1):
        yield Said("lobby", seq, MORNING + after, author, f"l{seq}", text, action=text == "waves")


def _ops() -> Iterable[Joined | Said]:
    for name in ("alice", "bob"):
        yield Joined("ops", 1, MORNING, name, "")
    yield Said("ops", 1, MORNING, "alice", "o1", "the disk is full")
    yield Said("ops", 2, MORNING, "alice", "o2", "bob: help")


def _direct() -> Iterable[Joined | Said]:
    for name in ("alice", "bob"):
        yield Joined("@alice@bob", 1, MORNING, name, "")
    yield Said("@alice@bob", 1, MORNING, "alice", "d1", "between us")
