"""The outbox: what waits, in order, over restarts and beside other processes of the same person."""

from __future__ import annotations

from pathlib import Path

from chat.messages import Say, Tell
from client.home import Home
from client.outbox import Outbox

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


def labels(outbox: Outbox) -> list[str]:
    return [waiting.command.label for waiting in outbox.waiting()]


def test_what_was_added_waits_in_its_order_until_it_is_removed(tmp_path: Path) -> None:
    outbox = Outbox(Home(tmp_path), KEY, "bob")
    for label in ("c", "a", "b"):
        outbox.add(Say(label, "lobby", f"text {label}"))
    outbox.remove("a")
    assert labels(outbox) == ["c", "b"]
    outbox.close()


def test_it_is_there_again_after_a_restart_as_it_was(tmp_path: Path) -> None:
    outbox = Outbox(Home(tmp_path), KEY, "bob")
    commands = [Say("1", "lobby", "über\n你好"), Say("2", "ops", "waves", action=True), Tell("3", "alice", "psst")]
    times = [outbox.add(command).time for command in commands]
    outbox.close()
    again = Outbox(Home(tmp_path), KEY, "bob")
    assert [(waiting.command, waiting.time) for waiting in again.waiting()] == list(zip(commands, times, strict=True))
    again.close()


def test_the_same_message_twice_is_one(tmp_path: Path) -> None:
    outbox = Outbox(Home(tmp_path), KEY, "bob")
    for label in ("1", "2", "1"):
        outbox.add(Say(label, "lobby", "once"))
    assert labels(outbox) == ["1", "2"]
    outbox.close()


def test_another_name_or_another_server_has_an_outbox_of_its_own(tmp_path: Path) -> None:
    mine, hers, elsewhere = (
        Outbox(Home(tmp_path), key, name) for key, name in ((KEY, "bob"), (KEY, "alice"), (OTHER_KEY, "bob"))
    )
    mine.add(Say("1", "lobby", "for one server alone"))
    assert (labels(mine), labels(hers), labels(elsewhere)) == (["1"], [], [])
    for outbox in (mine, hers, elsewhere):
        outbox.close()


def test_two_terminals_of_one_person_see_what_the_other_has_waiting(tmp_path: Path) -> None:
    first, second = (Outbox(Home(tmp_path), KEY, "bob") for _ in range(2))
    first.add(Say("1", "lobby", "a"))
    second.add(Say("2", "lobby", "b"))
    assert labels(first) == labels(second) == ["1", "2"]
    second.remove("1")
    assert labels(first) == ["2"]
    first.close()
    second.close()
