"""Commands about the user's own view: who is ignored, what rings, how it looks, what is copied."""

from __future__ import annotations

from datetime import datetime

from chat.messages import Said
from client.commands import Desk, here, named_or_here, needed
from client.dialogue import Cancelled
from client.settings import NOTIFY
from client.theme import THEMES

SWITCH = {"on": True, "off": False}


def away(desk: Desk, rest: str) -> None:
    desk.set_away(True)
    desk.show("The others see you as away; /back ends it.")


def back(desk: Desk, rest: str) -> None:
    desk.set_away(False)


def whois(desk: Desk, rest: str) -> None:
    person = needed(rest, "/whois NAME").removeprefix("@")
    shared = {room.title: room.members[person] for room in desk.model.rooms.values() if person in room.members}
    if not shared:
        raise Cancelled(f"You share no room with {person}.")
    said = [entry for room in desk.model.rooms.values() for entry in room.entries
            if isinstance(entry, Said) and entry.author == person]  # fmt: skip
    last = max(said, key=lambda each: each.time, default=None)
    lines = [f"{person} is {next(iter(shared.values()))}; together with you in {', '.join(sorted(shared))}."]
    if last is not None:
        lines.append(f"Last said, as far as is known here: {datetime.fromtimestamp(last.time):%Y-%m-%d %H:%M}.")
    if person in desk.model.ignored:
        lines.append(f"You ignore {person}; /ignore {person} ends it.")
    desk.show(*lines)


def ignore(desk: Desk, rest: str) -> None:
    ignored = desk.settings.ignored
    person = rest.removeprefix("@")
    if not person:
        desk.show(f"You ignore: {', '.join(ignored) or 'nobody'}.")
        return
    ignored.remove(person) if person in ignored else ignored.append(person)
    desk.settings_changed()
    desk.show(f"{person}'s messages are hidden." if person in ignored else f"{person}'s messages are shown again.")


def mute(desk: Desk, rest: str) -> None:
    room, muted = named_or_here(desk, rest), desk.settings.muted
    muted.remove(room.name) if room.name in muted else muted.append(room.name)
    desk.settings_changed()
    desk.show(f"{room.title} is muted." if room.name in muted else f"{room.title} isn't muted any more.")


def notify(desk: Desk, rest: str) -> None:
    if not rest:
        desk.show(f"You are notified of: {desk.settings.notify}. /notify {'|'.join(NOTIFY)} changes it.")
        return
    if rest not in NOTIFY:
        raise Cancelled(f"Use it as /notify {'|'.join(NOTIFY)}.")
    desk.settings.notify = rest
    desk.settings_changed()


def theme(desk: Desk, rest: str) -> None:
    if rest not in THEMES:
        raise Cancelled(f"The themes are {', '.join(THEMES)}; this one is {desk.settings.theme}.")
    desk.settings.theme = rest
    desk.settings_changed()


def set_(desk: Desk, rest: str) -> None:
    settings = desk.settings
    name, _, value = rest.partition(" ")
    match name:
        case "":
            desk.show(f"theme {settings.theme}", f"notify {settings.notify}",
                      f"bell {_said(settings.bell)}", f"desktop {_said(settings.desktop)}")  # fmt: skip
        case "theme":
            theme(desk, value)
        case "notify":
            notify(desk, value)
        case "bell" | "desktop" if value in SWITCH:
            setattr(settings, name, SWITCH[value])
            desk.settings_changed()
        case _:
            raise Cancelled("Use it as /set [theme NAME | notify WHAT | bell on|off | desktop on|off].")


def copy(desk: Desk, rest: str) -> None:
    count = int(rest) if rest.isascii() and rest.isdigit() else 0
    if rest and not count:
        raise Cancelled("Use it as /copy [N], N being how many messages.")
    said = [entry for entry in here(desk).entries if isinstance(entry, Said)][-(count or 1) :]
    if not said:
        raise Cancelled("There is no message here to copy.")
    lines = [f"{datetime.fromtimestamp(each.time):%H:%M} {each.author}: {each.text}" for each in said]
    desk.copy("\n".join(lines) if count else said[-1].text)
    desk.show(f"Copied {len(said)} message{'s' if len(said) > 1 else ''}, if this terminal allows it (OSC 52).")


def clear(desk: Desk, rest: str) -> None:
    room = here(desk)
    room.cleared = room.last


def trace(desk: Desk, rest: str) -> None:
    if desk.trace():
        desk.show("From now on the way of each message that you send is shown; /trace again ends it.")
    else:
        desk.show("Your messages aren't followed any more.")


def models(desk: Desk, rest: str) -> None:
    desk.watch_models(True)


def net(desk: Desk, rest: str) -> None:
    desk.show("Looking at every interface …")
    desk.show(*desk.network())


def _said(value: bool) -> str:
    return "on" if value else "off"
