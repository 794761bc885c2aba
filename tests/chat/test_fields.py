"""Each field of each message refuses what its annotation doesn't allow, with the right code."""

from __future__ import annotations

import types
import typing
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given

from chat.faults import PeerFault
from chat.fields import MAX_NUMBER, MAX_TEXT, AtMost, Chars, Utf8, Within, builder, checker
from chat.kinds import KINDS
from chat.messages import Login, Message, Presence, Say
from chat.values import Cursor, Person
from tests.chat.strategies import packable, value


def wrong_values(annotation: Any) -> dict[str, list[Any]]:
    """For a field's annotation: values that break it, by the code of the fault they must give."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):  # of something and None
        faults = wrong_values(typing.get_args(annotation)[0])
        return {code: [wrong for wrong in values if wrong is not None] for code, values in faults.items()}
    if typing.get_origin(annotation) is typing.Annotated:
        _, limit = typing.get_args(annotation)
        match limit:
            case Chars():
                shorter = [""] if limit.least else []
                signs = ["é", "\n", "\x7f", "\x1b"] if limit.plain else []
                return {"malformed": [7, None, b"x", [], *shorter, *signs], "too_long": ["x" * (limit.most + 1)]}
            case Utf8():
                too_long = ["x" * (limit.most + 1), "é" * (limit.most // 2 + 1), "\U0001f600" * (limit.most // 4 + 1)]
                return {"malformed": [7, None, b"x", ""], "too_long": too_long}
            case Within():
                numbers = [limit.least - 1, limit.most + 1]
                return {"malformed": [*numbers, "1", 1.0, True, [1]]}
            case AtMost():
                return {"malformed": [None, "x", {}, [None]], "too_long": [[None] * (limit.most + 1)]}
    plain: dict[Any, list[Any]] = {
        str: [7, None, b"x"],
        int: [1.5, "1", True],
        float: [-1, 1e12, float("nan"), float("inf"), "1", True, None],
        bool: [1, 0, None, "true"],
    }
    return {"malformed": plain.get(annotation, [7, "x", {}])}


CASES = [
    pytest.param(cls, index, code, wrong, id=f"{kind}.{field.name}-{code}-{str(wrong)[:12]!r}")
    for kind, cls in KINDS.items()
    for index, field in enumerate(fields(cls))  # type: ignore[arg-type]
    for code, values in wrong_values(typing.get_type_hints(cls, include_extras=True)[field.name]).items()
    for wrong in values
]
EXAMPLES: dict[type, Any] = {str: "x", int: 1, float: 1.0, bool: True}


def right_value(annotation: Any) -> Any:
    """One value that a field allows."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    return [] if typing.get_origin(annotation) is tuple else EXAMPLES.get(annotation)


def right_values(cls: type[Message]) -> list[Any]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return [right_value(hints[field.name]) for field in fields(cls)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("cls", "index", "code", "wrong"), CASES)
def test_a_wrong_field_is_a_fault_with_its_code(cls: type[Message], index: int, code: str, wrong: Any) -> None:
    values = right_values(cls)
    builder(cls)(values)  # all is well before the one change
    values[index] = wrong
    with pytest.raises(PeerFault) as fault:
        builder(cls)(values)
    assert fault.value.code == code


@pytest.mark.parametrize("cls", KINDS.values(), ids=KINDS)
@given(anything=packable)
def test_any_value_in_any_field_is_kept_or_a_fault(cls: type[Message], anything: Any) -> None:
    for index in range(len(right_values(cls))):
        values = right_values(cls)
        values[index] = anything
        try:
            builder(cls)(values)
        except PeerFault as fault:
            assert fault.code in ("malformed", "too_long")


def test_too_few_fields_are_a_fault() -> None:
    for cls in (Say, Cursor):
        with pytest.raises(PeerFault) as fault:
            builder(cls)(["x"])
        assert fault.value.code == "malformed"


def test_the_length_of_a_text_is_counted_in_bytes() -> None:
    check = builder(Say)
    for text in ("x" * MAX_TEXT, "é" * (MAX_TEXT // 2), "\U0001f600" * (MAX_TEXT // 4)):
        assert check(["label", "lobby", text]).text == text


def test_numbers_stay_exact_everywhere() -> None:
    assert builder(Cursor)(["lobby", MAX_NUMBER]) == Cursor("lobby", MAX_NUMBER)
    assert float(MAX_NUMBER) == MAX_NUMBER


def test_records_inside_arrays_are_checked_too() -> None:
    assert builder(Presence)([[["bob", "away"]]]) == Presence((Person("bob", "away"),))
    assert builder(Login)(["bob", [["lobby", 3]]]) == Login("bob", (Cursor("lobby", 3),))
    for wrong in ([["bob"]], ["bob"], [["bob", 1]], [[]]):
        with pytest.raises(PeerFault):
            builder(Presence)([wrong])


@given(value(Person))
def test_arrays_become_tuples_so_that_messages_stay_frozen(person: Person) -> None:
    assert builder(Presence)([[[person.name, person.status]]]).people == (person,)


def test_a_limit_that_nobody_enforces_is_our_own_fault() -> None:
    with pytest.raises(TypeError):
        checker(typing.Annotated[str, "some limit"])


def test_a_code_that_is_not_listed_is_our_own_fault() -> None:
    with pytest.raises(AssertionError):
        PeerFault("oops", "A sentence.")
