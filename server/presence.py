"""Who is online on how many connections, in the journal's memory only: presence is told, never stored."""

from __future__ import annotations

from chat.values import AWAY, OFFLINE, ONLINE, Person


class Presence:
    """Connections by name. A person is away once all their connections are."""

    def __init__(self) -> None:
        self._away_of: dict[str, dict[int, bool]] = {}
        self._changed: dict[str, str] = {}  # name -> the status that was told last

    def status(self, name: str) -> str:
        connections = self._away_of.get(name)
        if not connections:
            return OFFLINE
        return AWAY if all(connections.values()) else ONLINE

    def arrive(self, name: str, connection: int) -> None:
        self._note(name)
        self._away_of.setdefault(name, {})[connection] = False

    def set_away(self, name: str, connection: int, away: bool) -> None:
        self._note(name)
        self._away_of[name][connection] = away

    def depart(self, name: str, connection: int) -> None:
        self._note(name)
        connections = self._away_of.get(name, {})
        connections.pop(connection, None)
        if not connections:
            self._away_of.pop(name, None)

    @property
    def untold(self) -> bool:
        """Whether there may be changes to tell."""
        return bool(self._changed)

    def take_changes(self) -> list[Person]:
        """Everybody whose status is another than when this was last asked."""
        changes = [
            Person(name, self.status(name)) for name, before in self._changed.items() if self.status(name) != before
        ]
        self._changed = {}
        return changes

    def _note(self, name: str) -> None:
        self._changed.setdefault(name, self.status(name))
