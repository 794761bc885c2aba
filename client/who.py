"""`--who`: the servers on the network and the people on them, as their beacons tell. Nothing is joined."""

from __future__ import annotations

import json
import math
import sys

from chat.beacon import Presence
from chat.secure import fingerprint
from chat.text import safe_text
from client import explain
from client.beacon_sockets import interfaces
from client.config import Address, Options
from client.failures import Unreachable
from client.finder import NAME_ONE, Known, addresses
from client.home import Home
from client.search import Search, Sighting
from client.sightings import Line, Lines

WAIT = 1.5
"""Seconds for which answers are awaited."""
FRAME = 0.5
"""Seconds that lie at least between two pictures of a watch."""
FOLLOWING = 2.0
"""Seconds between two looks, during a watch, whether the interfaces are still the same."""

CLEAR = "\x1b[H\x1b[2J"


def run(options: Options, home: Home) -> int:
    """Print who is there. Raises `Unreachable` if there is no server, unless it is to go on until there is one."""
    if options.watch:
        return _watch(options, home)
    lines = Lines()
    with Search(options, Known(home).places) as search:
        for sighting in search.sightings(options.wait or WAIT):
            if sighting is not None:
                _take(lines, search, sighting)
    current = lines.current()
    _print(_rendered(current, options))
    if options.verbose:
        verdicts = explain.check(options, home)
        print("\n".join(map(str, verdicts)), file=sys.stderr if options.json else sys.stdout)
    if not current:
        where = "on this machine" if options.discovery == "loopback" else "on the network"
        hint = "" if options.verbose else "; --verbose explains each interface"
        raise Unreachable(f"No server was found {where}; {NAME_ONE}{hint}.")
    return 0


def _watch(options: Options, home: Home) -> int:
    """Print who is there whenever that changes, until interrupted. With --json, an array a line."""
    lines = Lines()
    shown = None
    while True:
        faces = interfaces()
        with Search(options, Known(home).places) as search:
            look, draw = lines.now() + FOLLOWING, 0.0
            for sighting in search.sightings(math.inf):
                if sighting is not None:
                    _take(lines, search, sighting)
                now = lines.now()
                if now >= look:
                    look = now + FOLLOWING
                    if interfaces() != faces:
                        break
                if now >= draw:
                    draw = now + FRAME
                    picture = _rendered(lines.current(), options)
                    if picture != shown:
                        _print(CLEAR + picture if sys.stdout.isatty() and not options.json else picture)
                        shown = picture


def _take(lines: Lines, search: Search, sighting: Sighting) -> None:
    where = addresses(sighting, [way.interface for way in search.ways])
    page = lines.take(sighting, where[0] if where else (sighting.source, sighting.beacon.port))
    if page:
        search.ask_page(sighting, page)


def _rendered(lines: list[Line], options: Options) -> str:
    if options.json:
        # How long somebody is away grows by itself: a watch shows what happens, not the time.
        return json.dumps([as_json(line, exact=not options.watch) for line in lines])
    return "\n".join(as_text(line) for line in lines) or ("No server." if options.watch else "")


def as_json(line: Line, *, exact: bool = True) -> dict[str, object]:
    """A server as `--json` prints it. `people` is empty where a passphrase is asked for."""
    beacon = line.beacon
    people = [{"name": person.name, "status": person.status, "idle": person.idle} for person in line.people]
    return {
        "name": beacon.name,
        "address": _written(line.address),
        "key": fingerprint(beacon.key),
        "passphrase": beacon.passphrase,
        "online": beacon.online,
        "people": people if exact else [{"name": person.name, "status": person.status} for person in line.people],
    }


def as_text(line: Line) -> str:
    """A server as a person reads it: one line, and one for each person."""
    beacon = line.beacon
    lock = "  asks for a passphrase" if beacon.passphrase else ""
    head = f"{safe_text(beacon.name)}  {_written(line.address)}  key {fingerprint(beacon.key)}"
    people = [f"  {safe_text(person.name)}  {_status(person)}" for person in line.people]
    return "\n".join([f"{head}  {beacon.online} online{lock}", *people])


def _status(person: Presence) -> str:
    if not person.idle:
        return person.status
    return f"away for {person.idle // 60} min" if person.idle >= 60 else "away"


def _written(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _print(text: str) -> None:
    # Bytes: a pipe gets UTF-8 whatever the terminal's encoding is.
    if text:
        sys.stdout.buffer.write(text.encode(errors="replace") + b"\n")
        sys.stdout.buffer.flush()
