"""`--who`: the servers on the network and the people on them, as their beacons tell. Nothing is joined."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field

from chat.beacon import Beacon, Presence
from chat.secure import fingerprint
from chat.text import safe_text
from client.config import Address, Options
from client.failures import Unreachable
from client.finder import NAME_ONE, addresses
from client.home import Home
from client.search import Search, Sighting

WAIT = 1.5
"""Seconds for which answers are awaited."""
MAX_SERVERS = 128


@dataclass(slots=True)
class Line:
    """A server as its newest beacon shows it, and the pages of its roster that have come."""

    beacon: Beacon
    address: Address
    pages: dict[int, tuple[Presence, ...]] = field(default_factory=dict)

    @property
    def people(self) -> list[Presence]:
        everybody = {person.name: person for page in self.pages.values() for person in page}
        return [everybody[name] for name in sorted(everybody)]


class Lines:
    """One line for each key, whatever number of interfaces its beacons came by."""

    def __init__(self) -> None:
        self._by_key: dict[bytes, Line] = {}

    def take(self, sighting: Sighting, address: Address) -> None:
        beacon = sighting.beacon
        line = self._by_key.get(beacon.key)
        if line is None:
            if len(self._by_key) >= MAX_SERVERS:
                return
            line = self._by_key[beacon.key] = Line(beacon, address)
        elif beacon.rank > line.beacon.rank:
            line.beacon = beacon
        elif beacon.rank < line.beacon.rank:
            return
        line.pages = {number: page for number, page in line.pages.items() if number < beacon.pages}
        line.pages[beacon.page] = beacon.people

    def current(self) -> list[Line]:
        """By name; those that said farewell are left out."""
        lines = [line for line in self._by_key.values() if not line.beacon.leaving]
        return sorted(lines, key=lambda line: (line.beacon.name, line.beacon.key))


def run(options: Options, home: Home) -> int:
    """Print who is there. Raises `Unreachable` if there is no server."""
    lines = Lines()
    with Search(options) as search:
        faces = [way.interface for way in search.ways]
        for sighting in search.sightings(options.wait or WAIT):
            if sighting is not None:
                where = addresses(sighting, faces) or [(sighting.source, sighting.beacon.port)]
                lines.take(sighting, where[0])
    current = lines.current()
    if options.json:
        print(json.dumps([as_json(line) for line in current]))
    elif current:
        print("\n".join(as_text(line) for line in current))
    if not current:
        place = "on this machine" if options.discovery == "loopback" else "on the network"
        raise Unreachable(f"No server was found {place}; {NAME_ONE}.")
    sys.stdout.flush()
    return 0


def as_json(line: Line) -> dict[str, object]:
    """A server as `--json` prints it. `people` is empty where a passphrase is asked for."""
    beacon = line.beacon
    return {
        "name": beacon.name,
        "address": _written(line.address),
        "key": fingerprint(beacon.key),
        "passphrase": beacon.passphrase,
        "online": beacon.online,
        "people": [{"name": person.name, "status": person.status, "idle": person.idle} for person in line.people],
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
    return f"away for {person.idle // 60} min" if person.idle >= 60 else f"away for {person.idle} s"


def _written(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
