"""Replays: what a client missed, sent page by page from the store until it has caught up with the live stream.

While a room is being replayed to a connection, what is new in it isn't sent but *postponed*: it is on disk already
(commit comes before publish), so moving the replay's end behind it is all that it takes. When a page reaches the
end there is nothing in between: no hole, no double, no lock, for pages and parcels meet in one thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.history import History
from server.parcels import Replay

PAGE_BYTES = 64 * 1024
"""What is read in one go, about: enough for a full frame, little enough to be fair to the others."""


@dataclass(slots=True)
class Course:
    """Where one room's replay stands: positions of the last event sent, and of the last to send."""

    after: int
    until: int


class Replays:
    """All replays under way in one worker, by connection and room."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._courses: dict[int, dict[str, Course]] = {}

    def __len__(self) -> int:
        return len(self._courses)

    def __contains__(self, connection: int) -> bool:
        return connection in self._courses

    def connections(self) -> list[int]:
        """The connections with something to replay."""
        return list(self._courses)

    def add(self, parcel: Replay) -> None:
        course = Course(self._history.place_of(parcel.room, parcel.since), parcel.position)
        if course.after < course.until:
            self._courses.setdefault(parcel.connection, {})[parcel.room] = course

    def postpone(self, connection: int, room: str, position: int) -> bool:
        """Whether this room's replay will bring the event at `position`, so that it needn't be sent now."""
        courses = self._courses.get(connection)
        if not position or courses is None or room not in courses:
            return False
        courses[room].until = max(courses[room].until, position)
        return True

    def next_page(self, connection: int) -> list[bytes]:
        """The next events for a connection, in wire form; room after room."""
        courses = self._courses[connection]
        room, course = next(iter(courses.items()))
        page: list[bytes] = []
        size = 0
        for position, body in self._history.between(room, course.after, course.until):
            page.append(body)
            size += len(body)
            course.after = position
            if size >= PAGE_BYTES:
                return page
        del courses[room]
        if not courses:
            del self._courses[connection]
        return page

    def forget(self, connection: int) -> None:
        self._courses.pop(connection, None)
