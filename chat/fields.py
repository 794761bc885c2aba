"""Checks of message fields: a field's annotation says what it may hold, and `checker` enforces just that.

A message class writes `room: RoomName`; at import time its annotations are turned into plain functions, so
that decoding costs one call a field. A value that doesn't fit raises `PeerFault`, never anything else.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, dataclass
from typing import Annotated, Any

from chat.faults import PeerFault

Check = Callable[[Any, str], Any]
"""Takes a decoded value and the field's name; returns the value to keep, or raises PeerFault."""

MAX_TEXT = 16 * 1024
"""Bytes of UTF-8 in one message's text."""

MAX_NUMBER = 2**53
"""Numbers stay exact in every language's floating point."""


@dataclass(frozen=True, slots=True)
class Chars:
    """A string of `least` to `most` characters; `plain` means printable ASCII."""

    least: int
    most: int
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Utf8:
    """A string of 1 to `most` bytes in UTF-8."""

    most: int


@dataclass(frozen=True, slots=True)
class Octets:
    """`least` to `most` bytes."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Within:
    """A whole number, both ends included."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class AtMost:
    """An array of at most that many values."""

    most: int


Label = Annotated[str, Chars(1, 32, plain=True)]
LabelOrNone = Annotated[str, Chars(0, 32, plain=True)]
"""Empty where something wasn't asked for by the one who gets it."""
PersonName = Annotated[str, Chars(1, 32)]
RoomName = Annotated[str, Chars(1, 66)]  # 64 for a room that people name; a direct one holds two names
TopicText = Annotated[str, Chars(0, 256)]
MessageText = Annotated[str, Utf8(MAX_TEXT)]
Sentence = Annotated[str, Chars(0, 512)]
Seq = Annotated[int, Within(0, MAX_NUMBER)]


def checker(annotation: Any) -> Check:
    """The function that enforces `annotation`: str, int, float, bool, tuples of them, dataclasses, `X | None`."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _annotated(args[0], args[1:])
    if origin in (typing.Union, types.UnionType):
        (inner,) = (a for a in args if a is not type(None))
        check = checker(inner)
        return lambda value, field: None if value is None else check(value, field)
    if origin is tuple:
        return _array(checker(args[0]), AtMost(1024))
    if hasattr(annotation, "__dataclass_fields__"):
        return _record(annotation)
    return {str: _string, int: _integer, float: _moment, bool: _boolean}[annotation]


def _annotated(base: Any, limits: tuple[Any, ...]) -> Check:
    (limit,) = limits
    match limit:
        case Chars():
            return _chars(limit)
        case Utf8():
            return _utf8(limit)
        case Octets():
            return _octets(limit)
        case Within():
            return _within(limit)
        case AtMost():
            return _array(checker(typing.get_args(base)[0]), limit)
    raise TypeError(limit)


def _wrong(field: str, wanted: str) -> PeerFault:
    return PeerFault("malformed", f"The field {field!r} must be {wanted}.")


def _string(value: Any, field: str) -> str:
    if type(value) is not str:
        raise _wrong(field, "a string")
    return value


def _integer(value: Any, field: str) -> int:
    if type(value) is not int:
        raise _wrong(field, "a whole number")
    return value


def _moment(value: Any, field: str) -> float:
    if type(value) not in (float, int) or not 0 <= value < 1e12:
        raise _wrong(field, "a time in Unix seconds")
    return float(value)


def _boolean(value: Any, field: str) -> bool:
    if type(value) is not bool:
        raise _wrong(field, "true or false")
    return value


def _chars(limit: Chars) -> Check:
    def check(value: Any, field: str) -> str:
        if type(value) is not str or len(value) < limit.least:
            raise _wrong(field, f"a string of {limit.least} to {limit.most} characters")
        if len(value) > limit.most:
            raise PeerFault("too_long", f"The field {field!r} may have {limit.most} characters.")
        if limit.plain and not (value.isascii() and value.isprintable()):
            raise _wrong(field, "printable ASCII")
        return value

    return check


def _utf8(limit: Utf8) -> Check:
    def check(value: Any, field: str) -> str:
        if type(value) is not str or not value:
            raise _wrong(field, "a string that isn't empty")
        if len(value) * 4 > limit.most and len(value.encode()) > limit.most:
            raise PeerFault("too_long", f"A message may have {limit.most:,} bytes of text; send it in parts.")
        return value

    return check


def _octets(limit: Octets) -> Check:
    def check(value: Any, field: str) -> bytes:
        if type(value) is not bytes or not limit.least <= len(value) <= limit.most:
            raise _wrong(field, f"{limit.least} to {limit.most} bytes")
        return value

    return check


def _within(limit: Within) -> Check:
    def check(value: Any, field: str) -> int:
        if type(value) is not int or not limit.least <= value <= limit.most:
            raise _wrong(field, f"a whole number from {limit.least} to {limit.most}")
        return value

    return check


def _array(item: Check, limit: AtMost) -> Check:
    def check(value: Any, field: str) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise _wrong(field, "an array")
        if len(value) > limit.most:
            raise PeerFault("too_long", f"The field {field!r} may have {limit.most} entries.")
        return tuple(item(entry, field) for entry in value)

    return check


def _record(cls: Any) -> Check:
    build = builder(cls)

    def check(value: Any, field: str) -> Any:
        if not isinstance(value, (list, tuple)):
            raise _wrong(field, "an array")
        return build(value)

    return check


def builder(cls: Any) -> Callable[[list[Any] | tuple[Any, ...]], Any]:
    """A function that makes a `cls` of the decoded values of its fields, each checked.

    Values beyond the fields known here are ignored, and missing ones take the field's default: so a newer peer
    can add fields at the end.
    """
    hints = typing.get_type_hints(cls, include_extras=True)
    checks = tuple((checker(hints[name]), name) for name in cls.__dataclass_fields__)
    least = sum(1 for field in cls.__dataclass_fields__.values() if field.default is MISSING)

    def build(values: list[Any] | tuple[Any, ...]) -> Any:
        if len(values) < least:
            raise PeerFault("malformed", f"{cls.__name__} needs {least} fields and has {len(values)}.")
        return cls(*[check(value, name) for (check, name), value in zip(checks, values, strict=False)])

    return build
