"""One room as the user sees it: its entries in order, with holes where something hasn't been fetched."""

from __future__ import annotations

import bisect
import enum
from dataclasses import dataclass, field
from typing import Any

from chat.messages import Joined, Left, Said, Say, Tell, TopicSet

KEPT = 5_000
"""Entries of one room kept in memory; older ones are fetched again when they are looked at."""


class Fate(enum.Enum):
    """What has become of an own message."""

    PENDING = "pending"
    REFUSED = "refused"


@dataclass(slots=True)
class Own:
    """An own message that has no number yet."""

    command: Say | Tell
    time: float
    fate: Fate = Fate.PENDING
    reason: str = ""


Fact = Joined | Left | TopicSet
Entry = Said | Fact


@dataclass(slots=True)
class RoomView:
    """`entries` are in order; a fact stands before the message with its number."""

    name: str
    title: str
    """The other one's name in a direct room."""
    topic: str = ""
    direct: bool = False
    last: int = 0
    """The number of the newest message that there is."""
    count: int = 0
    members: dict[str, str] = field(default_factory=dict)
    """By name: online, away or offline."""
    entries: list[Entry] = field(default_factory=list)
    own: list[Own] = field(default_factory=list)
    seen: int = 0
    """Up to here the user has read."""
    stopped: int | None = None
    """Up to here the user had read when the room was opened: a line is drawn behind it."""
    mentions: int = 0
    """Messages since then that name the user, as far as they are here."""
    typing: dict[str, None] = field(default_factory=dict)
    live: int = 0
    """Up to here no message is missing since the first login: the cursor after a reconnect."""
    paging: str = ""
    """The label of the page that is on its way."""
    cleared: int = 0
    """Up to here nothing is shown until the user scrolls."""
    held: bool = False
    """The user reads old messages: none may be thrown away under their eyes."""

    @property
    def oldest(self) -> int:
        """The number of the oldest message here; 0 if there is none."""
        return next((entry.seq for entry in self.entries if isinstance(entry, Said)), 0)

    @property
    def unread(self) -> int:
        return max(0, self.last - self.seen)

    def insert(self, entry: Entry) -> bool:
        """Put an entry where it belongs; False if it is here already."""
        key = _key(entry)
        if not self.entries or key > _key(self.entries[-1]):
            self.entries.append(entry)
            if len(self.entries) > KEPT and not self.held:
                del self.entries[: KEPT // 10]
        else:
            at = bisect.bisect_left(self.entries, key, key=_key)
            if _key(self.entries[at]) == key:
                return False
            self.entries.insert(at, entry)
        self._advance()
        return True

    def at(self, seq: int) -> int:
        """The index of message number `seq`, or of the first entry behind its place."""
        return bisect.bisect_left(self.entries, (seq, 1, 0.0, ""), key=_key)

    def said(self, seq: int) -> Said | None:
        """Message number `seq`, if it is here."""
        at = self.at(seq)
        entry = self.entries[at] if at < len(self.entries) else None
        return entry if isinstance(entry, Said) and entry.seq == seq else None

    def _advance(self) -> None:
        """Move `live` over what follows it without a hole."""
        at = self.at(self.live + 1)
        while at < len(self.entries):
            entry = self.entries[at]
            if isinstance(entry, Said):
                if entry.seq != self.live + 1:
                    return
                self.live = entry.seq
            at += 1


def _key(entry: Entry) -> tuple[Any, ...]:
    """Where an entry stands: by number, a fact before its message, facts among themselves by time."""
    if isinstance(entry, Said):
        return entry.seq, 1, 0.0, ""
    return entry.seq, 0, entry.time, entry.author
