"""Following messages on their way: the stamps that this client adds, and the waterfalls of its own messages.

A traced message's `Trail` comes right behind it, so where the trail is, the message is too: received, taken in by the
UI's loop, drawn. Whoever gets a trail of somebody else's message reports it back, with these stamps added.
"""

from __future__ import annotations

from chat.messages import Report, Reported, Say, Trail
from chat.trail import steps, waterfall
from chat.values import Stamp
from client.connection import Incoming
from client.stamps import mark

KEPT = 64
"""Own traced messages whose first stamps are remembered."""


class Tracer:
    """In the UI's thread; `on` is what /trace switches."""

    def __init__(self) -> None:
        self.on = False
        self._typed = mark("typed")
        self._started: dict[str, tuple[Stamp, ...]] = {}
        self._undrawn: list[Trail] = []
        self._finished: list[tuple[str, str, tuple[Stamp, ...]]] = []

    def typed(self) -> None:
        """Enter was pressed."""
        self._typed = mark("typed")

    def begin(self, command: Say) -> None:
        """An own message is about to be kept and sent."""
        if command.trace:
            self._started[command.label] = (self._typed,)
            while len(self._started) > KEPT:
                del self._started[next(iter(self._started))]

    def kept(self, command: Say) -> None:
        """It is in the outbox."""
        if command.label in self._started:
            self._started[command.label] += (mark("outbox"),)

    def sent(self, label: str, stamp: Stamp) -> None:
        """The sender's thread has sent it."""
        if label in self._started:
            self._started[label] += (stamp,)

    def taken_in(self, trail: Trail) -> None:
        """The UI has a trail that the receiver has stamped."""
        stamps = (*trail.stamps, mark("taken in"))
        self._undrawn.append(Trail(trail.room, trail.author, trail.label, stamps))

    def drawn(self, me: str) -> list[Report]:
        """The screen was drawn: the reports to be sent about others' messages."""
        undrawn, self._undrawn = self._undrawn, []
        reports = []
        for trail in undrawn:
            stamps = (*trail.stamps, mark("drawn"))
            if trail.author != me:
                reports.append(Report(trail.room, trail.author, trail.label, stamps))
            elif trail.label in self._started:
                self._finished.append((me, trail.label, stamps))
        return reports

    def ends_with(self, message: Incoming) -> list[str]:
        """The waterfall of an own message that somebody's report completes; nothing for any other message."""
        if not isinstance(message, Reported) or message.label not in self._started:
            return []
        return self._waterfall(message.name, message.label, message.stamps)

    def own(self) -> list[str]:
        """The waterfall of the last own message that this screen itself has drawn, once."""
        if not self._finished:
            return []
        name, label, stamps = self._finished.pop()
        self._finished.clear()
        return self._waterfall(name, label, stamps)

    def _waterfall(self, name: str, label: str, stamps: tuple[Stamp, ...]) -> list[str]:
        way = steps((*self._started[label], *stamps))
        return [f"From your Enter to {name}'s screen:", *waterfall(way)]
