"""Messages as msgpack arrays, the first element naming the kind; several may stand one behind the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from functools import partial
from operator import attrgetter
from typing import Any

import msgpack

from chat.faults import PeerFault
from chat.fields import MAX_TEXT, builder
from chat.kinds import KINDS
from chat.messages import Command, Message, Unknown

MAX_PLAINTEXT = 65_519
"""Bytes in one frame before encryption: Noise's 65,535 less the 16 of the tag."""


def _values(cls: Any) -> Callable[[Any], tuple[Any, ...]]:
    """What gives the values of a message's fields, in order."""
    names = [field.name for field in fields(cls)]
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda message: (get(message),)


_BUILD = {kind: builder(cls) for kind, cls in KINDS.items()}
_KIND = {cls: kind for kind, cls in KINDS.items()}
_VALUES = {cls: _values(cls) for cls in KINDS.values()}
_COMMANDS = {kind: _BUILD[kind] for kind, cls in KINDS.items() if issubclass(cls, Command)}


def encode(message: Message) -> bytes:
    """One message as bytes. Raises `PeerFault("too_large")` for one that fits no frame."""
    cls = type(message)
    data: bytes = msgpack.packb((_KIND[cls], *_VALUES[cls](message)), default=_plain)
    if len(data) > MAX_PLAINTEXT:
        raise PeerFault("too_large", f"A message may have {MAX_PLAINTEXT:,} bytes and this one has {len(data):,}.")
    return data


def decode(data: bytes) -> Iterator[Message | Unknown]:
    """The messages in one frame's plaintext, in order; a kind not known here comes as `Unknown`.

    Raises `PeerFault` at the first fault; the messages before it have been given by then.
    """
    for kind, values in _arrays(data):
        build = _BUILD.get(kind)
        yield Unknown(kind, tuple(values)) if build is None else build(values)


def decode_commands(data: bytes) -> Iterator[Command | PeerFault]:
    """The commands in one frame's plaintext. One that is wrong in itself comes as a fault, in its place.

    A fault carries the command's label where one could be read, as `fault.label`. Raises `PeerFault` if the
    bytes aren't msgpack arrays at all: what follows can't be found then.
    """
    for kind, values in _arrays(data):
        build = _COMMANDS.get(kind)
        try:
            if build is None:
                raise PeerFault("unknown_kind", "This server doesn't know that command; update the server.")
            yield build(values)
        except PeerFault as fault:
            fault.label = _label(values)
            yield fault


def chunks(messages: list[bytes]) -> list[bytes]:
    """Join encoded messages into as few pieces as fit a frame each, keeping their order and never cutting one."""
    pieces: list[bytes] = []
    start = size = 0
    for index, message in enumerate(messages):
        if size + len(message) > MAX_PLAINTEXT:
            pieces.append(b"".join(messages[start:index]))
            start, size = index, 0
        size += len(message)
    if size:
        pieces.append(b"".join(messages[start:]))
    return pieces


def _arrays(data: bytes) -> Iterator[tuple[str, list[Any]]]:
    for entry in _unpack(data):
        if not isinstance(entry, list) or not entry or not isinstance(entry[0], str):
            raise PeerFault("malformed", "Each message must be an array that begins with its kind.")
        yield entry[0], entry[1:]


_LIMITS = {"max_array_len": 1024, "max_map_len": 0, "max_str_len": MAX_TEXT + 1, "max_bin_len": 0, "max_ext_len": 0}
"""Lengths are checked by msgpack before it allocates, so a declared length of 4 GiB costs nothing."""

_NONSENSE = (ValueError, TypeError, RecursionError, msgpack.UnpackException)
"""What msgpack raises for bytes that are not what they should be."""

_unpack_one = partial(msgpack.unpackb, **_LIMITS)


def _unpack(data: bytes) -> Iterable[Any]:
    if len(data) <= MAX_PLAINTEXT:
        try:
            # One message, as in most frames: to make an Unpacker takes several times as long as to unpack it.
            return [_unpack_one(data)]
        except _NONSENSE:
            pass  # none, several or nonsense
    return _unpack_all(data)


def _unpack_all(data: bytes) -> Iterator[Any]:
    # A new Unpacker for each frame: one that has met an error is not used again.
    unpacker = msgpack.Unpacker(max_buffer_size=MAX_PLAINTEXT, **_LIMITS)
    end = 0  # of the last whole message: at the end of the data, tell() has run on to it
    try:
        unpacker.feed(data)
        for entry in unpacker:
            end = unpacker.tell()
            yield entry
    except _NONSENSE as error:
        raise PeerFault("malformed", "The frame doesn't hold msgpack arrays within the limits.") from error
    if end != len(data):
        raise PeerFault("malformed", "The frame ends in the middle of a message.")


def _plain(value: Any) -> Any:
    """What msgpack doesn't know: a dataclass within a message."""
    if not hasattr(value, "__dataclass_fields__"):
        raise TypeError(f"no message can hold {value!r}")
    return [getattr(value, name) for name in value.__dataclass_fields__]


def _label(values: list[Any]) -> str:
    label = values[0] if values else ""
    fits = isinstance(label, str) and len(label) <= 32 and label.isascii() and label.isprintable()
    return label if fits else ""
