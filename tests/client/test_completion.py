"""What Tab offers, for each place in a line."""

from __future__ import annotations

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from client.completion import Words
from tests.client.scenes import enter, model


def offers(line: str, *, places: bool = False) -> list[str]:
    scene = model()
    enter(scene, "ops")
    words = Words(scene, lambda: places)
    return [each.text for each in words.get_completions(Document(line), CompleteEvent(completion_requested=True))]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("al", ["alice: "]),
        ("hi al", ["alice "]),
        ("hi @al", ["@alice "]),
        ("hi AL", ["alice "]),
        ("see #o", ["#ops "]),
        ("/to", ["/topic "]),
        ("/join o", ["ops"]),
        ("/msg a", ["alice "]),
        ("/help sea", ["search"]),
        ("/notify n", ["none"]),
        ("/search words from:a", ["from:alice "]),
        ("/search in:l", ["in:lobby "]),
        ("/nosuch a", ["alice "]),
        ("hi xyz", []),
    ],
)
def test_a_word_is_completed_by_where_it_stands(line: str, offered: list[str]) -> None:
    assert offers(line) == offered


def test_emoji_go_by_their_names() -> None:
    assert "🎉" in offers("well done :party")
    assert offers(":") == []


def test_while_asked_where_to_go_rooms_are_offered_by_any_part_of_the_name() -> None:
    assert offers("ob", places=True) == ["lobby"]
