"""The roster: each name once, away only if everywhere, and since when."""

from __future__ import annotations

from chat.beacon import Presence
from server.roster import Roster


def test_everybody_once_by_name() -> None:
    roster = Roster()
    for connection, name in enumerate(("bob", "alice", "bob")):
        roster.arrive(connection, name)
    assert roster.presences() == (Presence("alice"), Presence("bob"))
    roster.depart(0)
    assert roster.presences() == (Presence("alice"), Presence("bob"))
    roster.depart(2)
    assert roster.presences() == (Presence("alice"),)


def test_away_means_on_all_terminals_and_ends_on_any() -> None:
    roster = Roster()
    roster.arrive(1, "bob")
    roster.arrive(2, "bob")
    roster.set_away(1, True)
    assert [person.status for person in roster.presences()] == ["online"]
    roster.set_away(2, True)
    assert [person.status for person in roster.presences()] == ["away"]
    roster.set_away(1, False)
    assert [person.status for person in roster.presences()] == ["online"]
