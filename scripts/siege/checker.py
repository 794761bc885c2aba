"""The judge of a chaos run, after Jepsen's: what was asked, what was answered, and what everybody saw must agree.

Every text is unique. Each send ends as *stored* (its number came back), *refused*, or *unknown* (nothing came back:
it may be there, at most once). Pure: the clients report, `verdict` lists what is wrong.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at one number of a room. `turn` counts its author's sends: 1, 2, 3 …"""

    author: str
    turn: int


@dataclass(slots=True)
class Checker:
    """Reports come in while the run lasts; a fault that can be seen at once is kept at once."""

    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    sent: int = 0
    refused: int = 0
    heard: int = 0
    rooms: dict[str, dict[int, Entry]] = field(default_factory=dict)
    """By room and number: the one order that everybody must see."""
    _stored: dict[tuple[str, str, int], int] = field(default_factory=dict)
    _refused: set[tuple[str, str, int]] = field(default_factory=set)
    _places: dict[tuple[str, str], int] = field(default_factory=dict)
    _newest: dict[str, int] = field(default_factory=dict)

    # --- reports --------------------------------------------------------------------------------------------------

    def has_sent(self) -> None:
        self.sent += 1

    def was_stored(self, room: str, entry: Entry, seq: int) -> None:
        """The author was told that it is number `seq`; being told twice is well if it is twice the same."""
        self._newest[room] = max(self.newest(room), seq)
        if self._stored.setdefault((room, entry.author, entry.turn), seq) != seq:
            self._fault("acknowledged under two numbers", f"{entry} in {room}")

    def was_refused(self, room: str, entry: Entry) -> None:
        self.refused += 1
        self._refused.add((room, entry.author, entry.turn))

    def was_heard(self, member: str, room: str, seq: int, entry: Entry, place: int) -> None:
        """`member`, whose last number was `place`, was sent number `seq` as the next one of the stream."""
        self.heard += 1
        if seq <= place:
            self._fault("doubled", f"{member} got #{seq} of {room} after #{place}")
        elif seq > place + 1:
            self._fault("a hole in the numbers", f"{member} got #{seq} of {room} after #{place}")
        self._places[member, room] = max(seq, place)
        self._newest[room] = max(self.newest(room), seq)
        if self.rooms.setdefault(room, {}).setdefault(seq, entry) != entry:
            self._fault("two orders in one room", f"#{seq} of {room} is {self.rooms[room][seq]} and {entry}")

    # --- verdict --------------------------------------------------------------------------------------------------

    @property
    def stored(self) -> int:
        return len(self._stored)

    @property
    def unknown(self) -> int:
        return self.sent - self.stored - self.refused

    def newest(self, room: str) -> int:
        """The highest number that anybody has seen or was told."""
        return self._newest.get(room, 0)

    def verdict(self, members: dict[str, str]) -> Counter[str]:
        """Every fault and how often; empty if all is well. `members` says which room each was in to the end."""
        for (room, author, turn), seq in self._stored.items():
            if self.rooms.get(room, {}).get(seq) != Entry(author, turn):
                self._fault("stored and lost", f"{author}'s {turn} was acknowledged as #{seq} of {room}")
        for room, entries in self.rooms.items():
            self._judge_room(room, entries)
        for member, room in members.items():
            if self._places.get((member, room), 0) < self.newest(room):
                self._fault("a member who didn't get all", f"{member} in {room}")
        return self.faults

    def _judge_room(self, room: str, entries: dict[int, Entry]) -> None:
        if sorted(entries) != list(range(1, len(entries) + 1)):
            self._fault("numbers that aren't 1 to n", room)
        last_turn: dict[str, int] = {}
        for _, entry in sorted(entries.items()):
            if entry.turn == last_turn.get(entry.author):
                self._fault("stored twice", f"{entry} in {room}")
            elif entry.turn < last_turn.get(entry.author, 0):
                self._fault("out of an author's order", f"{entry} in {room}")
            last_turn[entry.author] = entry.turn
            if (room, entry.author, entry.turn) in self._refused:
                self._fault("refused and stored", f"{entry} in {room}")

    def _fault(self, kind: str, example: str) -> None:
        self.faults[kind] += 1
        if len(self.examples) < 20:
            self.examples.append(f"{kind}: {example}")
