"""Beacons: how a server makes itself known on a network, as UDP datagrams of at most 512 bytes.

Two kinds. A *probe* asks who is there; it is padded to 512 bytes, so that an answer is never larger than what it
answers and nobody can use a server to multiply traffic. A *beacon* says which server is where and who is on it: as an
announcement to everyone, or as the answer to a probe, which it repeats the nonce of.

    datagram = "LBeac" version kind hops | body            hops: how often a relay or a server has passed it on
    beacon's body = signature (64) | msgpack array         signed by the server's Noise key (chat/signing.py)
    probe's body  = msgpack array | zeros

A beacon is signed by the key that the server proves in its handshake, the key whose fingerprint people compare. So a
beacon can't be made for another's key, and one that was recorded leads at worst to where the server once was: whoever
acts on a beacon shakes hands before trusting it. `rank` tells an old beacon from a new one without comparing clocks.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgpack

from chat.faults import PeerFault
from chat.fields import MAX_NUMBER, AtMost, Chars, Octets, PersonName, Seq, Within, builder
from chat.signing import SIGNATURE, Signer, is_signed
from chat.values import AWAY, ONLINE

MAX_DATAGRAM = 512
"""Bytes. Fits every network's packets whole, so that nothing depends on fragments passing."""

MAX_HOPS = 3
MAX_PLACES = 6
MAX_PAGES = 64
MAX_NAME = 80
"""Bytes of a server's name in a beacon; with it and `MAX_PLACES` IPv4 addresses every page has room for somebody."""
NONCE = 8

_MAGIC = b"LBeac"
_VERSION = 1
_PROBE, _BEACON = 1, 2
_HEAD = len(_MAGIC) + 3


@dataclass(frozen=True, slots=True)
class Place:
    """An address of a server's, packed (4 or 16 bytes), and how many bits of it name the network."""

    packed: Annotated[bytes, Octets(4, 16)]
    prefix: Annotated[int, Within(0, 128)]

    @property
    def ip(self) -> str:
        return str(ipaddress.ip_address(self.packed))

    @property
    def network(self) -> str:
        """The network that the server takes itself to be in, as `10.0.0.0/24`."""
        return str(ipaddress.ip_network((self.packed, self.prefix), strict=False))


def place(ip: str, prefix: int) -> Place:
    return Place(ipaddress.ip_address(ip).packed, prefix)


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody who is connected. `idle` is for how many seconds they have been away, or 0 if they aren't."""

    name: PersonName
    idle: Annotated[int, Within(0, 2**31)] = 0

    @property
    def status(self) -> str:
        return AWAY if self.idle else ONLINE


@dataclass(frozen=True, slots=True)
class Probe:
    """Asks for a beacon. `wanted` 0 means the server that is asked, n the n-th other one that it knows of.

    `page` chooses a part of the roster. With `key`, only the server of that key answers.
    """

    nonce: Annotated[bytes, Octets(NONCE, NONCE)]
    wanted: Annotated[int, Within(0, 255)] = 0
    page: Annotated[int, Within(0, MAX_PAGES)] = 0
    key: Annotated[bytes, Octets(0, 32)] = b""


@dataclass(frozen=True, slots=True)
class Beacon:
    """What a server says of itself. `started` and `serial` order the beacons of one key."""

    key: Annotated[bytes, Octets(32, 32)]
    started: Seq
    """Milliseconds of Unix time at which the server started: a later instance outranks an earlier one."""
    serial: Seq
    nonce: Annotated[bytes, Octets(0, NONCE)]
    """The answered probe's; empty in an announcement."""
    name: Annotated[str, Chars(1, 64)]
    port: Annotated[int, Within(1, 65_535)]
    places: Annotated[tuple[Place, ...], AtMost(MAX_PLACES)]
    advertised: Annotated[str, Chars(0, 80)]
    """HOST:PORT for those who can't use `places`; empty if there is none."""
    passphrase: bool
    leaving: bool
    """The last beacon of an instance that stops."""
    known: Annotated[int, Within(0, 255)]
    """How many other servers it could tell of."""
    online: Annotated[int, Within(0, 2**31)]
    page: Annotated[int, Within(0, MAX_PAGES)] = 0
    pages: Annotated[int, Within(0, MAX_PAGES)] = 0
    people: Annotated[tuple[Presence, ...], AtMost(256)] = ()
    """This page's share of who is online; empty if a passphrase is asked for."""

    @property
    def rank(self) -> tuple[int, int]:
        """Beacons of one key: the higher rank is the newer one."""
        return self.started, self.serial


@dataclass(frozen=True, slots=True)
class Received:
    """A datagram that was well-formed: what it says, and how often it has been passed on."""

    content: Probe | Beacon
    hops: int


def encode_probe(probe: Probe) -> bytes:
    """A probe's datagram: always `MAX_DATAGRAM` bytes."""
    body: bytes = msgpack.packb(_plain(probe))
    return (_head(_PROBE, 0) + body).ljust(MAX_DATAGRAM, b"\0")


def encode_beacon(beacon: Beacon, signer: Signer) -> bytes:
    """A beacon's datagram. The one who calls sees to it that it fits (`pages_of`, `clip`)."""
    body: bytes = msgpack.packb(_plain(beacon))
    datagram = _head(_BEACON, 0) + signer.sign(body) + body
    assert len(datagram) <= MAX_DATAGRAM, len(datagram)
    return datagram


def passed_on(datagram: bytes) -> bytes | None:
    """A beacon's datagram with one hop more, or None if it has come as far as it may."""
    hops = datagram[_HEAD - 1] + 1
    return None if hops > MAX_HOPS else datagram[: _HEAD - 1] + bytes([hops]) + datagram[_HEAD:]


def decode(datagram: bytes) -> Received:
    """What a datagram says. Raises `PeerFault`. A beacon's signature isn't checked yet: see `is_genuine`.

    The cheap checks come first and need no memory, so that a flood of noise costs little.
    """
    if not _HEAD < len(datagram) <= MAX_DATAGRAM or not datagram.startswith(_MAGIC):
        raise PeerFault("malformed", "It isn't a beacon of this program.")
    version, kind, hops = datagram[_HEAD - 3 : _HEAD]
    if version != _VERSION:
        raise PeerFault("wrong_version", "It is a beacon of another version.")
    if kind == _PROBE and len(datagram) == MAX_DATAGRAM and hops == 0:
        probe: Probe = _build_probe(_array(datagram[_HEAD:], padded=True))
        return Received(probe, 0)
    if kind == _BEACON and hops <= MAX_HOPS and len(datagram) > _HEAD + SIGNATURE:
        beacon: Beacon = _build_beacon(_array(datagram[_HEAD + SIGNATURE :], padded=False))
        _check(beacon)
        return Received(beacon, hops)
    raise PeerFault("malformed", "It is neither a probe nor a beacon.")


def is_genuine(datagram: bytes, beacon: Beacon) -> bool:
    """Whether the datagram that `decode` made `beacon` of is signed by its key."""
    body = _HEAD + SIGNATURE
    return is_signed(datagram[body:], datagram[_HEAD:body], beacon.key)


def pages_of(beacon: Beacon, people: Sequence[Presence]) -> list[Beacon]:
    """`beacon` as often as it takes to name all `people`, each as a page that fits; at most `MAX_PAGES`."""
    largest = replace(beacon, serial=MAX_NUMBER, nonce=bytes(NONCE), page=MAX_PAGES, pages=MAX_PAGES, people=())
    room = MAX_DATAGRAM - _HEAD - SIGNATURE - len(msgpack.packb(_plain(largest))) - 2  # an array's longer head
    parts: list[list[Presence]] = [[]]
    left = room
    for person in people:
        size = len(msgpack.packb(_plain(person)))
        if size > left and parts[-1]:
            if len(parts) == MAX_PAGES:
                break
            parts.append([])
            left = room
        parts[-1].append(person)
        left -= size
    return [replace(beacon, page=n, pages=len(parts), people=tuple(part)) for n, part in enumerate(parts)]


def clip(text: str, most: int) -> str:
    """The beginning of `text` that has at most `most` bytes in UTF-8."""
    return text.encode()[:most].decode(errors="ignore")


_build_probe = builder(Probe)
_build_beacon = builder(Beacon)


def _head(kind: int, hops: int) -> bytes:
    return _MAGIC + bytes([_VERSION, kind, hops])


def _check(beacon: Beacon) -> None:
    """What the fields' own limits don't say."""
    if any(len(place.packed) not in (4, 16) or place.prefix > 8 * len(place.packed) for place in beacon.places):
        raise PeerFault("malformed", "A beacon's addresses have 4 or 16 bytes.")
    if beacon.nonce and len(beacon.nonce) != NONCE:
        raise PeerFault("malformed", f"A beacon's nonce has {NONCE} bytes.")
    if beacon.advertised and not (beacon.advertised.isascii() and beacon.advertised.isprintable()):
        raise PeerFault("malformed", "An advertised address is printable ASCII.")


def _array(data: bytes, *, padded: bool) -> list[Any]:
    unpacker = msgpack.Unpacker(
        max_buffer_size=MAX_DATAGRAM,
        max_array_len=256,
        max_map_len=0,
        max_str_len=MAX_DATAGRAM,
        max_bin_len=32,
        max_ext_len=0,
    )
    try:
        unpacker.feed(data)
        values = unpacker.unpack()
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise PeerFault("malformed", "The datagram doesn't hold a msgpack array within the limits.") from error
    if not isinstance(values, list):
        raise PeerFault("malformed", "The datagram doesn't hold an array.")
    rest = data[unpacker.tell() :]
    if rest.strip(b"\0") or (rest and not padded):
        raise PeerFault("malformed", "Something stands behind the datagram's array.")
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return [_plain(getattr(value, name)) for name in value.__dataclass_fields__]
    return value
