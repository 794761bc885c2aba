"""The plain UI's printer as a script: what the model holds is printed once, in order, and nothing else."""

from __future__ import annotations

from chat.messages import Refused, Say
from client.plain import Printer, line_of
from tests.client.scenes import NOON, model, said, tell


def said_by(lines: list[str]) -> list[str]:
    return [line[6:] for line in lines if line[:2].isdigit()]


def test_what_comes_in_the_room_is_printed_once() -> None:
    scene = model()
    printer = Printer(scene)
    printer.open(scene.rooms["lobby"])
    assert printer.news()[0] == "Room lobby; 2 here, 0 unread."
    tell(scene, [said(1), said(2)])
    assert said_by(printer.news()) == ["alice: message 1.", "alice: message 2."]
    assert printer.news() == []


def test_a_room_begins_with_its_last_messages_as_soon_as_they_are_here() -> None:
    scene = model(last=500)
    printer = Printer(scene)
    printer.open(scene.rooms["lobby"])
    printer.news()
    assert printer.wanted() == (scene.rooms["lobby"], 501)
    tell(scene, (said(seq) for seq in range(401, 501)))
    assert said_by(printer.news()) == [f"alice: message {seq}." for seq in range(491, 501)]
    assert printer.wanted() is None


def test_it_begins_where_the_user_stopped_reading_if_that_is_earlier() -> None:
    scene = model(last=500, read=450)
    printer = Printer(scene)
    printer.open(scene.rooms["lobby"])
    tell(scene, (said(seq) for seq in range(401, 501)))
    assert said_by(printer.news())[0] == "alice: message 451."


def test_over_a_hole_nothing_is_printed_until_it_is_filled() -> None:
    scene = model()
    printer = Printer(scene)
    printer.open(scene.rooms["lobby"])
    tell(scene, [said(1), said(3)])
    assert said_by(printer.news()) == ["alice: message 1."]
    assert printer.wanted() == (scene.rooms["lobby"], 4)
    tell(scene, [said(2)])
    assert said_by(printer.news()) == ["alice: message 2.", "alice: message 3."]


def test_the_links_state_is_said_when_it_changes_and_the_countdown_isnt() -> None:
    scene = model()
    printer = Printer(scene)
    assert printer.news() == ["Connected to box as bob."]
    for seconds in (3, 2, 1):
        scene.waiting(seconds, "the server was silent")
        lines = printer.news()
        assert lines == (["Offline, trying again: the server was silent"] if seconds == 3 else [])


def test_what_commands_show_is_printed_also_if_it_is_the_same_again() -> None:
    scene = model()
    printer = Printer(scene)
    printer.news()
    for _ in range(2):
        scene.notices = ["You ignore: nobody."]
        assert printer.news() == ["You ignore: nobody."]
        assert printer.news() == []


def test_a_refused_message_is_printed_with_its_reason() -> None:
    scene = model()
    printer = Printer(scene)
    printer.news()
    scene.sending(Say("m", "lobby", "hi"), NOON)
    assert printer.news() == []
    scene.apply(Refused("m", "storage_full", "The disk is full."))
    assert printer.news() == ["Not sent: hi (The disk is full.)"]
    assert printer.news() == []


def test_nothing_that_others_write_controls_the_terminal() -> None:
    assert "\x1b" not in line_of(said(1, "\x1b[2J")) and "<U+001B>" in line_of(said(1, "\x1b[2J"))
    assert line_of(said(1, "waves")).endswith("alice: waves")
