"""What is written to the terminal to get the user's attention: nothing in it may be anybody's but ours."""

from __future__ import annotations

import base64

import pytest

from client import attention


@pytest.fixture(autouse=True)
def outside_tmux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)


def test_a_notification_speaks_the_languages_of_three_terminals() -> None:
    written = attention.notification("alice in ops", "look here")
    assert "\x1b]9;alice in ops: look here\x1b\\" in written
    assert "\x1b]777;notify;alice in ops;look here\x1b\\" in written
    assert "p=body;look here\x1b\\" in written


def test_what_others_wrote_cant_end_the_sequence_or_begin_another() -> None:
    written = attention.notification("a\x1b\\b", "c\x07d;e\x9cf\n\ng")
    assert written.count("\x1b]") == 4 and written.count("\x1b\\") == 4
    assert "\x07" not in written and "\x9c" not in written and "d,e" in written and "\n" not in written


def test_a_long_message_is_shortened() -> None:
    written = attention.notification("alice", "x" * 10_000)
    assert len(written) < 1_000


def test_inside_tmux_the_sequence_is_wrapped_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    assert attention.through_tmux("\x1b]9;x\x1b\\") == "\x1bPtmux;\x1b\x1b]9;x\x1b\x1b\\\x1b\\"


def test_the_clipboard_gets_the_text_whole_or_not_at_all() -> None:
    text = "über 你好\nsecond line"
    written = attention.clipboard(text)
    data = written.removeprefix("\x1b]52;c;").removesuffix("\x1b\\")
    assert base64.b64decode(data).decode() == text
    with pytest.raises(ValueError, match="too much"):
        attention.clipboard("x" * 100_000)


def test_without_a_desktop_no_program_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(attention.subprocess, "Popen", lambda *_, **__: pytest.fail("started"))
    attention.on_desktop("alice", "hi")
