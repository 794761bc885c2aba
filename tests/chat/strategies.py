"""Hypothesis strategies made of the messages' own annotations: every kind, with values at and within their limits."""

from __future__ import annotations

import types
import typing
from typing import Any

import msgpack
from hypothesis import strategies as st

from chat.fields import AtMost, Chars, Utf8, Within
from chat.kinds import KINDS
from chat.messages import Message

characters = st.characters(exclude_categories=["Cs"])
"""All that UTF-8 can say."""

printable = st.characters(min_codepoint=32, max_codepoint=126)


def field(annotation: Any) -> st.SearchStrategy[Any]:
    """Values that a field with this annotation may hold."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _limited(args[0], args[1])
    if origin in (typing.Union, types.UnionType):
        return st.none() | field(next(arg for arg in args if arg is not type(None)))
    if origin is tuple:
        return st.lists(field(args[0]), max_size=5).map(tuple)
    if hasattr(annotation, "__dataclass_fields__"):
        return value(annotation)
    moment = st.floats(0, 2e9)
    return {str: st.text(characters), int: st.integers(0, 2**53), float: moment, bool: st.booleans()}[annotation]


def _limited(base: Any, limit: Any) -> st.SearchStrategy[Any]:
    match limit:
        case Chars(plain=True):
            return st.text(
                st.characters(min_codepoint=32, max_codepoint=126), min_size=limit.least, max_size=limit.most
            )
        case Chars():
            return st.text(characters, min_size=limit.least, max_size=limit.most)
        case Utf8():
            long = st.sampled_from(["é" * (limit.most // 2), "x" * limit.most])
            return st.text(characters, min_size=1, max_size=50) | long
        case Within():
            return st.integers(limit.least, limit.most)
        case AtMost():
            return st.lists(field(typing.get_args(base)[0]), max_size=min(limit.most, 5)).map(tuple)
    raise TypeError(limit)


def value(cls: Any) -> st.SearchStrategy[Any]:
    """Instances of a dataclass whose fields are annotated as messages' are."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return st.builds(cls, **{name: field(hints[name]) for name in cls.__dataclass_fields__})


def messages(*classes: type[Message]) -> st.SearchStrategy[Any]:
    """Messages of these classes, or of every kind there is."""
    return st.one_of([value(cls) for cls in classes or KINDS.values()])


packable = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(characters) | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(characters, max_size=3), inner, max_size=3),
    max_leaves=10,
)
"""Whatever msgpack can say."""

near_misses = st.tuples(st.sampled_from([*KINDS, "nonsense"]), st.lists(packable, max_size=8)).map(
    lambda parts: typing.cast(bytes, msgpack.packb([parts[0], *parts[1]]))
)
"""Bytes that begin like a message and go on with anything."""
