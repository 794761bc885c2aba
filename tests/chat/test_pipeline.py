"""The drawing of a pipeline: every line as wide as asked, arrows only between stages."""

from __future__ import annotations

from chat.pipeline import Stage, draw

READER = Stage("reader", "epoll", "process 7", (("12", "wake-ups/s"), ("1.5", "reads an edge")), "Queue")
JOURNAL = Stage("journal", "a Process", "process 8", (("3", "commits/s"),))


def test_the_picture() -> None:
    assert draw([READER, JOURNAL], 44) == [
        "╭ reader · epoll ─────────────── process 7 ╮",
        "│ 12 wake-ups/s · 1.5 reads an edge        │",
        "╰───────────┬──────────────────────────────╯",
        "            ▼ Queue",
        "╭ journal · a Process ────────── process 8 ╮",
        "│ 3 commits/s                              │",
        "╰──────────────────────────────────────────╯",
    ]


def test_what_is_too_wide_is_wrapped_between_two_facts() -> None:
    many = Stage("x", "y " * 40, "process 1", tuple((str(n), "things a second") for n in range(9)))
    lines = draw([many], 50)
    assert {len(line) for line in lines} == {50}
    assert all(line.count("things") == line.count("things a second") for line in lines)
