"""What reaches the terminal beside the screen: notifications, the clipboard, clicks, and what was typed before."""

from __future__ import annotations

import base64

from chat.messages import Join, Say
from client.connection import Connection
from scripts.terminal import Terminal
from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess
from tests.waiting import wait_for

ENTER, UP, FOCUS_IN, FOCUS_OUT = "\r", "\x1b[A", "\x1b[I", "\x1b[O"
BELL, NOTIFICATION, CLIPBOARD = b"\a", b"\x1b]9;", b"\x1b]52;c;"


def opened(people: People, room: str) -> Terminal:
    terminal = people.open("bob", "--room", room)
    terminal.wait_for("bob on ", f"1 #{room}")
    return terminal


def say(people: People, server: ServerProcess, room: str, *texts: str) -> None:
    """alice says it, and leaves again."""
    with Connection.open(server.address, home=people.home("alice"), name="alice") as alice:
        alice.send(Join("join", room), *(Say(f"say {text}", room, text) for text in texts))
        next(message for message in alice if getattr(message, "label", "") == f"say {texts[-1]}")


def test_a_mention_is_told_to_who_looks_elsewhere_and_not_to_who_sees_it(people: People, server: ServerProcess) -> None:
    bob = opened(people, "lobby")
    bob.type(FOCUS_IN)
    say(people, server, "lobby", "bob, you see this")
    bob.wait_for("you see this")
    assert NOTIFICATION not in bob.written
    bob.type(FOCUS_OUT)
    say(people, server, "lobby", "nothing for anyone", "bob, look here")
    bob.wait_for("look here")
    wait_for(lambda: NOTIFICATION in bob.written and BELL in bob.written, "the terminal is told")
    assert bob.written.count(NOTIFICATION) == 1
    assert b"look here" in bob.written.partition(NOTIFICATION)[2].partition(b"\x1b\\")[0]


def test_a_muted_room_is_silent(people: People, server: ServerProcess) -> None:
    bob = opened(people, "lobby")
    bob.type("/mute lobby" + ENTER)
    bob.wait_for("lobby is muted")
    bob.type(FOCUS_OUT)
    say(people, server, "lobby", "bob, quietly")
    bob.wait_for("quietly")
    assert NOTIFICATION not in bob.written


def test_what_was_said_before_is_not_told_again(people: People, server: ServerProcess) -> None:
    opened(people, "lobby").close()
    say(people, server, "lobby", "bob, while you were away")
    bob = opened(people, "lobby")
    bob.wait_for("while you were away")
    assert NOTIFICATION not in bob.written


def test_copy_puts_the_last_messages_on_the_clipboard_without_the_panes(people: People, server: ServerProcess) -> None:
    bob = opened(people, "lobby")
    say(people, server, "lobby", "first", "second", "third")
    bob.wait_for("third")
    bob.type("/copy 2" + ENTER)
    bob.wait_for("Copied 2 messages")
    copied = base64.b64decode(bob.written.partition(CLIPBOARD)[2].partition(b"\x1b\\")[0]).decode()
    assert "second" in copied and "third" in copied
    assert "first" not in copied and "│" not in copied


def test_a_click_opens_a_room_and_up_brings_back_what_was_typed(people: People, server: ServerProcess) -> None:
    bob = opened(people, "lobby")
    bob.type("/join ops" + ENTER)
    bob.wait_for("ops>", "2 #ops")
    lines = bob.wait_for("1 #lobby")
    row = 1 + next(number for number, line in enumerate(lines) if line.startswith("1 #lobby"))
    bob.type(f"\x1b[<0;3;{row}M\x1b[<0;3;{row}m")
    bob.wait_for("lobby>")
    bob.type("say it" + ENTER)
    bob.wait_for("bob say it")
    bob.type(UP)
    bob.wait_for("lobby> say it")
