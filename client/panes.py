"""The panes around the messages: topic, rooms, members, status. Pure: the model in, lines out."""

from __future__ import annotations

from chat.text import safe_text
from chat.values import AWAY, OFFLINE
from client.model import Link, Model
from client.roomview import RoomView
from client.text import Line, Piece, cut, wrap


def topic(model: Model) -> Line:
    """The line on top: the room, what it is about, how many are in it."""
    room = model.room
    if room is None:
        return [Piece("class:bar.title", f" {safe_text(model.server)}")]
    people = f"  ({room.count:,} {'member' if room.count == 1 else 'members'})" if not room.direct else "  (direct)"
    about = f"  {safe_text(room.topic)}" if room.topic else ""
    return [Piece("class:bar.title", f" {safe_text(room.title)}"), Piece("", about), Piece("class:side", people)]


def rooms(model: Model, width: int) -> list[Line]:
    """A line for each room, with what is unread in it; mentions stand apart."""
    return [_room(model, number, room, width) for number, room in enumerate(model.order(), start=1)]


def _room(model: Model, number: int, room: RoomView, width: int) -> Line:
    current = room.name == model.current
    muted = room.name in model.muted
    style = "class:room.current" if current else "class:room.unread" if room.unread and not muted else "class:side"
    unread = f" {min(room.unread, 999)}" if room.unread and not current and not muted else ""
    mentions = f" !{min(room.mentions, 99)}" if room.mentions and not current and not room.direct else ""
    place = f"{number} " if number < 10 else "  "
    name = f"{place}{'@' if room.direct else '#'}{safe_text(room.title)}{' (muted)' if muted else ''}"
    return [
        Piece(style, cut(name, max(1, width - len(unread) - len(mentions)))),
        Piece(style, unread),
        Piece("class:mentions", mentions),
    ]


def members(room: RoomView, width: int, height: int) -> list[Line]:
    """Who is in the room: those here first, then those away, then the rest."""
    if not room.members and room.count:
        return [[Piece("class:side", cut(f"{room.count:,} people", width))], [Piece("class:side", "/who lists them")]]
    ranks = {AWAY: 1, OFFLINE: 2}
    people = sorted(room.members.items(), key=lambda member: (ranks.get(member[1], 0), member[0]))
    hidden = len(people) - height
    lines = [_member(name, status, name in room.typing, width) for name, status in people[:height]]
    if hidden > 0:
        lines[-1] = [Piece("class:side", f"and {hidden + 1:,} more")]
    return lines


def _member(name: str, status: str, typing: bool, width: int) -> Line:
    sign = {AWAY: "◦", OFFLINE: " "}.get(status, "●")
    style = {AWAY: "class:away", OFFLINE: "class:offline"}.get(status, "")
    return [Piece(style, cut(f"{sign} {safe_text(name)}{'…' if typing else ''}", width))]


def status(model: Model, at_end: bool) -> Line:
    """The state of things: the link, what is on its way, who is typing."""
    room = model.room
    line = [_link(model)]
    if model.pending:
        line.append(Piece("class:question", f"  {model.pending} pending"))
    if not at_end:
        line.append(Piece("class:question", "  ↓ End for the newest"))
    if room is not None and room.typing:
        people = list(room.typing)
        names = ", ".join(safe_text(name) for name in people[:3]) + (" and others" if len(people) > 3 else "")
        line.append(Piece("", f"  {names} {'is' if len(people) == 1 else 'are'} typing"))
    return line


def _link(model: Model) -> Piece:
    match model.link:
        case Link.ONLINE:
            ping = f", {1000 * model.round_trip:.0f} ms" if model.round_trip is not None else ""
            return Piece("", f" ● {safe_text(model.me)} on {safe_text(model.server)}{ping}")
        case Link.CONNECTING:
            return Piece("class:bar.bad", " ◌ connecting ")
        case Link.WAITING:
            return Piece("class:bar.bad", f" ○ offline, next try in {model.retry_in} s: {safe_text(model.trouble)} ")
    return Piece("class:bar.bad", f" ✕ {safe_text(model.trouble)} ")


def notices(model: Model, width: int) -> list[Line]:
    """What commands have printed."""
    return [
        [Piece("class:shown", f" {row}")] for line in model.notices for row in wrap(safe_text(line), max(10, width - 2))
    ]
