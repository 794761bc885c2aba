"""What can be typed after a slash, at a desk without a server."""

from __future__ import annotations

from datetime import datetime

import pytest

from chat.messages import Hit, Join, Leave, Refused, RoomList, Rooms, RoomState, Search, SearchEnd, Topic, Who
from chat.values import Listing, Person
from client.command_table import COMMANDS, run
from client.dialogue import Cancelled
from client.searching import parse
from tests.client.desk import TestDesk
from tests.client.scenes import enter, model, said, tell


@pytest.fixture
def desk() -> TestDesk:
    return TestDesk(model(last=3))


def typed(desk: TestDesk, line: str) -> list[str]:
    """What is shown after this line."""
    desk.shown = []
    desk.dialogues.start(lambda: run(desk, line))
    return desk.shown


def state(room: str, *people: Person) -> RoomState:
    return RoomState("label", room, False, "", 0, len(people), people)


def test_join_opens_the_room(desk: TestDesk) -> None:
    desk.answers[Join] = lambda command: [state(command.room)]  # type: ignore[attr-defined]
    typed(desk, "/join #ops")
    assert desk.done == [("open", "ops")]


def test_leave_asks_first(desk: TestDesk) -> None:
    desk.answers[Leave] = lambda command: []
    typed(desk, "/leave")
    assert "Leave lobby" in desk.dialogues.question
    desk.dialogues.answer("n")
    assert desk.sent == []
    typed(desk, "/leave")
    desk.dialogues.answer("y")
    assert [type(command) for command in desk.sent] == [Leave]


def test_rooms_are_listed_with_members_and_topic(desk: TestDesk) -> None:
    desk.answers[Rooms] = lambda command: [RoomList("r", (Listing("ops", 7, "on fire"),))]
    assert [line.split() for line in typed(desk, "/rooms")] == [["ops", "7", "members", "on", "fire"]]


def test_msg_opens_the_direct_room_once_the_message_is_stored(desk: TestDesk) -> None:
    typed(desk, "/msg @alice see you at eight")
    assert desk.done == [("tell", "alice", "see you at eight"), ("open", "@alice@bob")]
    assert "haven't talked with carol" in typed(desk, "/msg carol")[0]
    enter(desk.model, "@bob@carol", direct=True)
    typed(desk, "/msg carol")
    assert desk.done[-1] == ("open", "@bob@carol")


def test_who_lists_those_here_and_those_not(desk: TestDesk) -> None:
    people = (Person("alice", "online"), Person("carol", "away"), Person("dave", "offline"))
    desk.answers[Who] = lambda command: [state("lobby", *people)]
    assert typed(desk, "/who") == ["3 in lobby. Here: alice, carol (away)", "Not here: dave"]


def test_topic_is_shown_set_and_removed(desk: TestDesk) -> None:
    desk.answers[Topic] = lambda command: []
    assert "Topic of lobby: none" in typed(desk, "/topic")[0]
    typed(desk, "/topic on fire")
    typed(desk, "/topic -")
    assert [command.topic for command in desk.sent if isinstance(command, Topic)] == ["on fire", ""]


def test_jump_takes_the_nearest_name(desk: TestDesk) -> None:
    for room in ("devops", "ops", "ops-night"):
        enter(desk.model, room)
    for wanted, found in (("ops", "ops"), ("night", "ops-night"), ("dev", "devops")):
        typed(desk, f"/jump {wanted}")
        assert desk.done[-1] == ("open", found)
    enter(desk.model, "@bob@night", direct=True)  # a person, named exactly so
    typed(desk, "/jump night")
    assert desk.done[-1] == ("open", "@bob@night")
    assert "/msg alice TEXT begins" in typed(desk, "/jump alice")[0]
    assert "No room or person" in typed(desk, "/jump xyz")[0]


def test_search_lists_hits_and_goes_to_the_one_that_is_chosen(desk: TestDesk) -> None:
    hits = [Hit("s", "lobby", 7, 0.0, "alice", "the needle"), Hit("s", "lobby", 9, 0.0, "alice", "needles")]
    desk.answers[Search] = lambda command: [*hits, SearchEnd("s", 2, True)]
    shown = typed(desk, "/search needle")
    assert "the needle" in shown[0] and "There are more" in shown[-1]
    desk.dialogues.answer("2")
    assert desk.done == [("seek", "lobby", 9)]
    typed(desk, "/find needle")
    desk.dialogues.answer("3")
    assert desk.shown == ["3 isn't one of 1 to 2."]
    assert [command.room for command in desk.sent if isinstance(command, Search)] == ["", "lobby"]


def test_a_search_is_narrowed_by_from_in_before_and_after() -> None:
    wanted = parse("red from:@alice in:#ops before:2026-11-01 http://x c:", "l")
    assert (wanted.words, wanted.author, wanted.room) == ("red http://x c:", "alice", "ops")
    assert wanted.before == datetime(2026, 11, 1).timestamp()
    with pytest.raises(Cancelled, match="yesterday isn't a date"):
        parse("x after:yesterday", "l")


def test_a_refusal_is_shown_as_its_sentence(desk: TestDesk) -> None:
    def refuse(command: object) -> list[RoomState]:
        raise Cancelled(Refused("j", "full", "The room is full.").sentence)

    desk.answers[Join] = refuse
    assert typed(desk, "/join ops") == ["The room is full."]


def test_ignore_mute_and_notify_change_the_settings(desk: TestDesk) -> None:
    typed(desk, "/ignore eve")
    typed(desk, "/mute")
    typed(desk, "/notify all")
    assert (desk.settings.ignored, desk.settings.muted, desk.settings.notify) == (["eve"], ["lobby"], "all")
    assert desk.done == [("settings",)] * 3
    typed(desk, "/ignore eve")
    typed(desk, "/mute lobby")
    assert (desk.settings.ignored, desk.settings.muted) == ([], [])
    assert "mentions|all|none" in typed(desk, "/notify often")[0]


def test_settings_are_shown_and_set(desk: TestDesk) -> None:
    assert typed(desk, "/set")[0] == "theme dark"
    typed(desk, "/set bell off")
    typed(desk, "/set theme light")
    assert (desk.settings.bell, desk.settings.theme) == (False, "light")
    assert "Use it as /set" in typed(desk, "/set bell loud")[0]


def test_copy_takes_the_last_message_or_the_last_few(desk: TestDesk) -> None:
    assert "no message here" in typed(desk, "/copy")[0]
    tell(desk.model, [said(1, "one"), said(2, "two")])
    typed(desk, "/copy")
    typed(desk, "/copy 2")
    assert desk.done[0] == ("copy", "two")
    assert str(desk.done[1][1]).endswith("alice: two") and "alice: one\n" in str(desk.done[1][1])
    assert "Use it as /copy" in typed(desk, "/copy all")[0]


def test_whois_says_what_is_known(desk: TestDesk) -> None:
    assert "alice is online; together with you in lobby." in typed(desk, "/whois alice")
    assert typed(desk, "/whois zoe") == ["You share no room with zoe."]


def test_clear_hides_what_is_there(desk: TestDesk) -> None:
    typed(desk, "/clear")
    assert desk.model.rooms["lobby"].cleared == 3


def test_a_wrong_command_suggests_the_nearest(desk: TestDesk) -> None:
    assert "/search" in typed(desk, "/serach x")[0]
    assert "/help" in typed(desk, "/xyzzy")[0]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_stands_in_the_help_with_its_usage(desk: TestDesk, name: str) -> None:
    assert any(COMMANDS[name].usage in line for line in typed(desk, f"/help {name}"))
    assert any(line.startswith(f"/{name}") for line in typed(desk, "/help"))


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"jump", "find", "leave"}))  # these ask for what is missing
def test_every_command_does_or_says_something_without_an_argument(desk: TestDesk, name: str) -> None:
    before = (list(desk.done), desk.watched, desk.traced, desk.model.rooms["lobby"].cleared)
    shown = typed(desk, f"/{name}")
    assert shown or before != (desk.done, desk.watched, desk.traced, desk.model.rooms["lobby"].cleared)
