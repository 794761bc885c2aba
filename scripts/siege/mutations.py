"""Inputs that are nearly right: examples of everything on the wire, and what chance makes of them."""

from __future__ import annotations

import random
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any

from chat.kinds import KINDS

HEADS = (
    *(b"\xdd\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x01"),  # 4 G
    *(b"\x91" * 600, b"\xcb\x7f\xf8\0\0\0\0\0\0"),  # nested; not a number
    *(b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", b"\xd3\x80\0\0\0\0\0\0\0"),  # the largest and the smallest integer
    *(b"\xd9\x02\xed\xa0", b"\xc4\x01", b"\xc1"),  # half a surrogate, bytes, what msgpack never says
    *(b"\xc0", b"\x80", b"\x90", b"\xa0", b"\xff", b"\0"),
)
"""msgpack that says little and means much."""

ALPHABET = (
    "aA1 -_.@#é\u0301ßſıİﬀǅα\u0430\u05d0\u0627\u200d\u202e\u2066\ufe0f\u0903ก\u0e33한글가"
    "\U0001f469\U0001f3fd\U0001f680\U0001f1e9\x00\x1b\x7f\x9b\n\t\U000e0041\U0010ffff"
)
"""Characters that a name or a text is most likely to stumble over."""


def examples() -> list[Any]:
    """One message of each kind, with a value of its type in every field."""
    return [_example(cls) for cls in KINDS.values()]


def mutated(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds after an accident, or up to four."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 4))):
        chance.choice(_ACCIDENTS)(chance, data, seeds)
    return bytes(data)


def odd_text(chance: random.Random, most: int) -> str:
    """Letters with up to `most` odd characters among them, common and rare ones."""
    rare = (chr(chance.randrange(0x110000)) for _ in range(chance.randint(0, most // 4)))
    text = [*chance.choices(ALPHABET, k=chance.randint(0, most)), *(char for char in rare if not _is_surrogate(char))]
    text += chance.choices("abcäßøλжシ가", k=chance.randint(0, 10))
    chance.shuffle(text)
    return "".join(text)


def _is_surrogate(char: str) -> bool:
    return "\ud800" <= char <= "\udfff"


def _example(annotation: Any) -> Any:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _example(args[0])
    if origin is tuple:
        return (_example(args[0]),)
    if hasattr(annotation, "__dataclass_fields__"):
        return annotation(*map(_example, typing.get_type_hints(annotation).values()))
    return {str: "alice", int: 1, float: 1.5, bool: True, bytes: b"alice"}[annotation]


# --- accidents ----------------------------------------------------------------------------------------------------


def _flip(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _cut(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    del data[chance.randint(0, len(data)) :]


def _lose(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    start = chance.randint(0, len(data))
    del data[start : start + chance.randint(1, 8)]


def _repeat(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    start = chance.randint(0, len(data))
    data[start:start] = data[start : start + chance.randint(1, 64)] * chance.randint(1, 8)


def _insert_head(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    start = chance.randint(0, len(data))
    data[start : start + chance.randint(0, 2)] = chance.choice(HEADS)


def _insert_noise(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    start = chance.randint(0, len(data))
    data[start:start] = chance.randbytes(chance.randint(1, 16))


def _splice(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = chance.choice(seeds)
    data[chance.randint(0, len(data)) :] = other[chance.randint(0, len(other)) :]


_Accident = Callable[[random.Random, bytearray, Sequence[bytes]], None]
_ACCIDENTS: tuple[_Accident, ...] = (_flip, _flip, _cut, _lose, _repeat, _insert_head, _insert_noise, _splice)
