"""Dialogues: commands that wait in the middle of a line, on greenlets, and the loop that goes on meanwhile."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import pytest

from chat.messages import Command, Hit, Refused, RoomList, Rooms, Search, SearchEnd
from client.dialogue import Cancelled, Dialogues
from client.failures import Failure
from tests.waiting import UNIT


class Scene:
    """A loop's side of the dialogues: what they have sent, why they failed, what the commands did."""

    def __init__(self) -> None:
        self.sent: list[Command] = []
        self.failed: list[str] = []
        self.done: list[object] = []
        self.knocks: queue.Queue[Callable[[], None]] = queue.Queue()
        self.dialogues = Dialogues(self.sent.append, self.failed.append, self.knocks.put)

    def let_in(self) -> None:
        """What the loop does when somebody knocks."""
        self.knocks.get(timeout=10 * UNIT)()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_question_waits_for_the_users_line_and_goes_on_with_it(scene: Scene) -> None:
    scene.dialogues.start(lambda: scene.done.append(scene.dialogues.ask("Really?")))
    assert (scene.dialogues.question, scene.done) == ("Really?", [])
    scene.dialogues.answer("y")
    assert (scene.dialogues.question, scene.done) == ("", ["y"])


def test_a_wait_may_be_deep_in_the_functions_that_a_command_calls(scene: Scene) -> None:
    def deeper(levels: int) -> str:
        return deeper(levels - 1) if levels else scene.dialogues.ask("How deep?")

    scene.dialogues.start(lambda: scene.done.append(deeper(50)))
    scene.dialogues.answer("fifty")
    assert scene.done == ["fifty"]


def test_a_request_gets_the_answers_with_its_label_and_no_others(scene: Scene) -> None:
    hit, end = Hit("s", "lobby", 1, 0.0, "alice", "x"), SearchEnd("s", 1, False)
    scene.dialogues.start(lambda: scene.done.append(scene.dialogues.request(Search("s", "x"))))
    for message in (RoomList("other", ()), hit, end, end):
        scene.dialogues.offer(message)
    assert scene.sent == [Search("s", "x")]
    assert scene.done == [[hit, end]]


def test_a_refusal_ends_the_command_with_its_sentence(scene: Scene) -> None:
    scene.dialogues.start(lambda: scene.done.append(scene.dialogues.request(Rooms("r"))))
    scene.dialogues.offer(Refused("r", "no", "Not now."))
    assert (scene.done, scene.failed) == ([], ["Not now."])


def test_two_commands_wait_side_by_side(scene: Scene) -> None:
    for label in ("a", "b"):
        scene.dialogues.start(lambda label=label: scene.done.append(scene.dialogues.request(Rooms(label))))
    scene.dialogues.offer(RoomList("b", ()))
    scene.dialogues.offer(RoomList("a", ()))
    assert scene.done == [[RoomList("b", ())], [RoomList("a", ())]]


def test_the_end_of_the_link_ends_what_waits_for_the_server_and_leaves_the_question(scene: Scene) -> None:
    scene.dialogues.start(lambda: scene.done.append(scene.dialogues.request(Rooms("r"))))
    scene.dialogues.start(lambda: scene.done.append(scene.dialogues.ask("Really?")))
    scene.dialogues.cancel("The link is down.")
    assert (scene.failed, scene.dialogues.question) == (["The link is down."], "Really?")
    scene.dialogues.cancel("", questions=True)
    assert (scene.dialogues.parked, scene.done) == ([], [])


def test_a_cancelled_command_is_unwound_so_that_its_cleanup_runs(scene: Scene) -> None:
    def command() -> None:
        try:
            scene.dialogues.ask("Really?")
        finally:
            scene.done.append("cleaned up")

    scene.dialogues.start(command)
    scene.dialogues.cancel("never mind", questions=True)
    assert (scene.done, scene.failed) == (["cleaned up"], ["never mind"])


def test_what_blocks_is_done_in_a_thread_while_the_loop_goes_on(scene: Scene) -> None:
    goes_on = threading.Event()
    scene.dialogues.start(lambda: scene.done.append(scene.dialogues.in_thread(lambda: goes_on.wait(10 * UNIT))))
    assert [parked.waits_for for parked in scene.dialogues.parked] == ["a thread"]
    scene.dialogues.cancel("The link is down.")  # which is nothing to it
    goes_on.set()
    scene.let_in()
    assert (scene.done, scene.dialogues.parked) == ([True], [])


def test_a_thread_that_fails_ends_its_command_with_a_sentence(scene: Scene) -> None:
    def fail() -> None:
        raise Failure("No network at all.")

    scene.dialogues.start(lambda: scene.done.append(scene.dialogues.in_thread(fail)))
    scene.let_in()
    assert (scene.done, scene.failed) == ([], ["No network at all."])


def test_a_command_that_starts_another_comes_back_to_it(scene: Scene) -> None:
    def outer() -> None:
        scene.dialogues.start(lambda: scene.done.append(scene.dialogues.ask("Inner?")))
        scene.done.append("outer goes on")

    scene.dialogues.start(outer)
    scene.dialogues.answer("inner")
    assert scene.done == ["outer goes on", "inner"]


def test_what_a_command_raises_reaches_whoever_started_it(scene: Scene) -> None:
    with pytest.raises(ZeroDivisionError):
        scene.dialogues.start(lambda: scene.done.append(1 / 0))
    with pytest.raises(Cancelled):
        raise Cancelled("is an exception of its own")
