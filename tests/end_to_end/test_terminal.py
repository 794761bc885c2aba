"""The full-screen client in real terminals: a pseudo-terminal each, with an emulator that knows its screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chat.messages import Join, Say, Tell
from client.connection import Connection
from scripts.terminal import Terminal
from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess
from tests.end_to_end.stages import stopped

ENTER, ESCAPE, F1, F2, F7, F8 = "\r", "\x1b", "\x1bOP", "\x1bOQ", "\x1b[18~", "\x1b[19~"
PAGE_UP, END, CTRL_C, CTRL_K, EDIT = "\x1b[5~", "\x1b[F", "\x03", "\x0b", "\x18\x05"
ALTERNATE_SCREEN, BRACKETED_PASTE, FOCUS_REPORTS, MOUSE = 1049, 2004, 1004, 1000  # private modes of the terminal


def opened(people: People, name: str, *options: str, columns: int = 100, rows: int = 30) -> Terminal:
    terminal = people.open(name, *options, columns=columns, rows=rows)
    terminal.wait_for(f"{name} on ", "1 #")
    return terminal


def test_two_people_talk_both_ways(people: People) -> None:
    bob, alice = opened(people, "bob"), opened(people, "alice")
    bob.type("hello alice" + ENTER)
    alice.wait_for("bob hello alice")
    alice.type("hello bob" + ENTER)
    bob.wait_for("alice hello bob", "bob hello alice")


def test_what_is_typed_while_the_server_is_down_is_sent_when_it_is_back(people: People, server: ServerProcess) -> None:
    bob = opened(people, "bob")
    server.kill()
    bob.wait_for("offline, next try in")
    bob.type("first" + ENTER + "second" + ENTER)
    bob.wait_for("2 pending")
    server.start()
    bob.wait_for(lambda lines: "bob on " in "".join(lines) and "pending" not in "".join(lines))
    assert [message["text"] for message in tail(people, 2)] == ["first", "second"]


def test_what_waits_outlives_the_client_that_is_killed(people: People, server: ServerProcess) -> None:
    bob = opened(people, "bob")
    server.kill()
    bob.wait_for("offline")
    bob.type("not lost" + ENTER)
    bob.wait_for("1 pending")
    bob.process.kill()
    server.start()
    again = opened(people, "bob")
    again.wait_for("bob not lost")
    assert [message["text"] for message in tail(people, 1)] == ["not lost"]


def test_what_waits_outlives_a_sleep_in_which_the_server_comes_back(people: People, server: ServerProcess) -> None:
    bob = opened(people, "bob")
    server.kill()
    bob.wait_for("offline")
    bob.type("first" + ENTER)
    bob.wait_for("1 pending")
    with stopped(bob.process.pid):
        bob.type("second" + ENTER)  # what the keyboard said just before
        server.start()
        assert people.run("alice", "--send", "bob sleeps").status == 0
    bob.wait_for("bob on ", "bob first", "  second", lambda lines: "pending" not in "".join(lines))
    assert [message["text"] for message in tail(people, 3)] == ["bob sleeps", "first", "second"]


def test_the_panes_hide_where_the_window_is_narrow_and_by_their_keys(people: People) -> None:
    bob = opened(people, "bob", columns=120)
    bob.wait_for(lambda lines: sum(line.count("│") for line in lines) > 40)
    bob.type(F7)
    bob.wait_for(lambda lines: not any("1 #lobby" in line for line in lines))
    bob.type(F8)
    bob.wait_for(lambda lines: not any("● bob" in line and "│" in line for line in lines))
    bob.type(F7 + F8)
    bob.wait_for("1 #lobby")
    bob.resize(60, 20)
    lines = bob.wait_for(lambda lines: any("bob on " in line for line in lines) and "│" not in "".join(lines))
    assert len(lines) == 20


def test_a_mention_elsewhere_is_counted_apart_and_rings(people: People, server: ServerProcess) -> None:
    bob = opened(people, "bob", "--room", "ops")
    bob.type("/join lobby" + ENTER)
    bob.wait_for("2 #ops")
    with alice_in(people, server, "ops") as alice:
        alice.send(Say("1", "ops", "nothing special"), Say("2", "ops", "where is Bob?"))
        bob.wait_for(lambda lines: any(re.search(r"#ops +2 !1", line) for line in lines))
        bob.type(ESCAPE + "a")
        bob.wait_for("alice nothing special")
    bob.wait_for(lambda lines: not any("!1" in line for line in lines))


def test_a_direct_message_opens_a_room_of_two(people: People, server: ServerProcess) -> None:
    bob = opened(people, "bob")
    with alice_in(people, server, "lobby") as alice:
        alice.send(Tell("t", "bob", "between us"))
        bob.wait_for("@alice")
        bob.type(CTRL_K)
        bob.wait_for("Go to room or person:")
        bob.type("ali" + ENTER)
        bob.wait_for("alice between us")


def test_search_finds_a_message_and_goes_there(people: People, server: ServerProcess) -> None:
    with alice_in(people, server, "lobby") as alice:
        alice.send(*(Say(f"m{number}", "lobby", f"filler {number}") for number in range(200)))
        alice.send(Say("n", "lobby", "the needle is here"))
        alice.send(*(Say(f"o{number}", "lobby", f"hay {number}") for number in range(300)))
        people_see(alice, "o299")
    bob = opened(people, "bob")
    bob.wait_for("hay 299")
    bob.type("/search needle from:alice" + ENTER)
    bob.wait_for("Go to which one?")
    bob.type("1" + ENTER)
    bob.wait_for("filler 199", "the needle is here", lambda lines: not any("hay 299" in line for line in lines))
    bob.type(END)
    bob.wait_for("hay 299")


def test_scrolling_back_fetches_older_pages_to_the_beginning(people: People, server: ServerProcess) -> None:
    with alice_in(people, server, "lobby") as alice:
        alice.send(*(Say(f"m{number}", "lobby", f"line {number}.") for number in range(1, 401)))
        people_see(alice, "m400")
    bob = opened(people, "bob")
    bob.wait_for("line 400.")
    press_until(bob, PAGE_UP, "line 1.")
    bob.type(END)
    bob.wait_for("line 400.")


def test_a_wrong_command_suggests_the_nearest_and_f1_lists_all(people: People) -> None:
    bob = opened(people, "bob")
    bob.type("/serach x" + ENTER)
    bob.wait_for("did you mean /search?")
    bob.type(F1)
    bob.wait_for("/join ROOM")
    bob.type(ESCAPE)
    bob.wait_for(lambda lines: not any("/join ROOM" in line for line in lines))


def test_a_message_can_be_written_in_an_editor(people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/draft/finished/" "$1"\n')
    editor.chmod(0o700)
    monkeypatch.setenv("EDITOR", str(editor))
    bob = opened(people, "bob")
    bob.type("a draft")
    bob.wait_for("lobby> a draft")
    bob.type(EDIT)
    bob.wait_for("lobby> a finished")
    bob.type(ENTER)
    bob.wait_for("bob a finished")


def test_nothing_that_others_write_controls_the_terminal(people: People, server: ServerProcess) -> None:
    bob = opened(people, "bob")
    with alice_in(people, server, "lobby") as alice:
        alice.send(Say("1", "lobby", "\x1b[2J\x1b]0;owned\x07 \u202egnp.exe \x9b31m end"))
        bob.wait_for("end", "<U+001B>[2J", "<U+202E>", "bob on ")  # nothing was cleared


def test_models_and_trace_show_the_program_at_work(people: People) -> None:
    bob = opened(people, "bob", columns=110, rows=60)
    bob.type(F2)
    bob.wait_for("reader · epoll", "receiver · thread")
    bob.type(ESCAPE)
    bob.wait_for("1 #lobby")
    bob.type("/trace" + ENTER + "where have you been?" + ENTER)
    places = ["typed", "outbox", "sent", "epoll wake-up", "committed", "received", "taken in", "drawn"]
    lines = bob.wait_for("all of it", *(f" {place} " for place in places))
    starts = [next(index for index, line in enumerate(lines) if f" {place} " in line) for place in places]
    assert starts == sorted(starts)


@pytest.mark.parametrize("typed", ["/quit" + ENTER, CTRL_C])
def test_it_ends_with_0_and_leaves_the_terminal_as_it_was(people: People, typed: str) -> None:
    bob = opened(people, "bob")
    bob.type(typed)
    assert bob.process.wait(20) == 0
    bob.close()
    for mode in ALTERNATE_SCREEN, BRACKETED_PASTE, FOCUS_REPORTS, MOUSE:
        assert bob.written.rfind(b"\x1b[?%dl" % mode) > bob.written.rfind(b"\x1b[?%dh" % mode)


def press_until(terminal: Terminal, key: str, what: str) -> None:
    """Press a key again and again, as one who holds it down, until a text is on the screen."""
    for _ in range(200):
        terminal.type(key)
        try:
            terminal.wait_for(what, seconds=0.1)
            return
        except TimeoutError:
            continue
    raise TimeoutError(f"not on the screen after 200 keys: {what}")


def alice_in(people: People, server: ServerProcess, room: str) -> Connection:
    alice = Connection.open(server.address, home=people.home("alice"), name="alice")
    alice.send(Join("j", room))
    people_see(alice, "j")
    return alice


def people_see(connection: Connection, label: str) -> None:
    next(message for message in connection if getattr(message, "label", "") == label)


def tail(people: People, count: int) -> list[dict[str, object]]:
    people.run("zoe", "--room", "lobby", "--send", "and now me")
    shown = people.start("zoe", "--room", "lobby", "--tail", "--since", "0", "--count", str(count))
    shown.wait()
    return shown.messages()
