"""People: names and keys, several terminals at once, direct messages."""

from __future__ import annotations

import pytest

from chat.messages import Join, Refused, Said, Say, Tell
from client.connection import new_label
from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess
from tests.end_to_end.talker import Talker
from tests.waiting import wait_for


def test_a_name_belongs_to_the_key_that_claimed_it_also_after_a_restart(server: ServerProcess, people: People) -> None:
    assert people.run("bob", "--send", "mine").out == "lobby #1\n"
    for _ in range(2):
        ended = people.run("bob", "--send", "mine too", home="mallory")
        assert (ended.status, ended.out) == (4, "")
        assert ended.err.startswith("chat-client: The name bob belongs to another key;")
        assert ended.err.count("\n") == 1
        server.restart()
    assert people.run("Bob", "--send", "still mine", home="bob").out == "lobby #2\n"


@pytest.mark.parametrize("name", ["b0b", "B0b", "bоb", "bօb"])  # zero, Cyrillic o, Armenian oh
def test_a_name_that_looks_like_a_taken_one_is_refused(name: str, server: ServerProcess, people: People) -> None:
    people.run("bob", "--send", "mine")
    ended = people.run(name, "--send", "me too", home="mallory")
    assert ended.status == 4, ended
    assert "bob" in ended.err and "take another name" in ended.err


@pytest.mark.parametrize("name", ["two words", "a\u202eb", "-x", "@bob", "a/b", "x" * 33, "💩"])
def test_a_name_that_no_one_can_have(name: str, server: ServerProcess, people: People) -> None:
    ended = people.run(f"{name}", f"--name={name}", "--send", "x", home="mallory")
    assert ended.status in (2, 4), ended
    assert ended.err.count("\n") == 1
    assert "\u202e" not in ended.err


def test_one_user_at_several_terminals_is_one_person_who_sees_everything_everywhere(
    server: ServerProcess, people: People
) -> None:
    with (
        Talker(server.address, people.home("bob"), "bob") as desk,
        Talker(server.address, people.home("bob"), "bob") as phone,
        Talker(server.address, people.home("alice"), "alice") as alice,
    ):
        desk.ask(Join(new_label(), "r"))
        alice.ask(Join(new_label(), "r"))
        desk.ask(Say(new_label(), "r", "from the desk"))  # the phone never joined: bob did
        phone.until(lambda m: isinstance(m, Said) and m.text == "from the desk", "hears the desk")
        phone.ask(Say(new_label(), "r", "from the phone"))
        desk.until(lambda m: isinstance(m, Said) and m.text == "from the phone", "hears the phone")
        phone.close()
        alice.ask(Say(new_label(), "r", "still there?"))
        desk.until(lambda m: isinstance(m, Said) and m.text == "still there?", "is still there")
        assert desk.texts("r") == ["from the desk", "from the phone", "still there?"]
        assert alice.texts("r") == ["from the desk", "from the phone", "still there?"]


def test_a_direct_message_reaches_the_two_and_nobody_else(server: ServerProcess, people: People) -> None:
    with (
        Talker(server.address, people.home("bob"), "bob") as bob,
        Talker(server.address, people.home("alice"), "alice") as alice,
        Talker(server.address, people.home("carol"), "carol") as carol,
    ):
        for talker in (bob, alice, carol):
            talker.ask(Join(new_label(), "r"))
        bob.ask(Tell(new_label(), "Alice", "psst"))
        alice.until(lambda m: isinstance(m, Said) and m.room == "@alice@bob" and m.text == "psst", "is told")
        alice.ask(Tell(new_label(), "bob", "what?"))
        bob.until(lambda m: isinstance(m, Said) and m.text == "what?", "is answered")
        for command in (Join(new_label(), "@alice@bob", 0), Say(new_label(), "@alice@bob", "me!")):
            refusal = carol.ask(command)
            assert isinstance(refusal, Refused) and refusal.code == "not_a_member"
        bob.ask(Say(new_label(), "r", "the end"))
        carol.until(lambda m: isinstance(m, Said) and m.text == "the end", "hears the room")
        assert carol.texts("@alice@bob") == []


def test_a_direct_message_waits_for_who_is_away(server: ServerProcess, people: People) -> None:
    people.run("alice", "--send", "I was here")
    assert people.run("bob", "--room", "@alice", "--send", "see you").out == "@alice@bob #1\n"
    assert people.run("bob", "--room", "@Alice", "--send", "tomorrow").out == "@alice@bob #2\n"
    server.restart()
    ended = people.run("alice", "--room", "@bob", "--tail", "--since", "0", "--count", "2")
    assert ended.status == 0
    assert '"text": "see you"' in ended.out and '"text": "tomorrow"' in ended.out


def test_who_tails_a_direct_room_that_is_made_only_later_sees_it_from_its_first_message(
    server: ServerProcess, people: People
) -> None:
    people.run("alice", "--send", "I was here")
    tail = people.start("alice", "--room", "@bob", "--tail")
    with Talker(server.address, people.home("alice"), "alice"):
        people.run("bob", "--send", "here too")
        people.run("bob", "--room", "@alice", "--send", "one")
        people.run("bob", "--room", "@alice", "--send", "two")
    wait_for(lambda: tail.messages(), "the tail sees the direct room")
    wait_for(lambda: tail.numbers()[-1] == 2, "the tail sees both")
    assert tail.numbers() in ([1, 2], [2])  # it may have come between the two
    assert tail.end().status == 0


@pytest.mark.parametrize(("room", "word"), [("@nobody", "Nobody called nobody"), ("@bob", "That is you")])
def test_a_direct_message_to_no_one(room: str, word: str, server: ServerProcess, people: People) -> None:
    ended = people.run("bob", "--room", room, "--send", "x")
    assert (ended.status, ended.out) == (4, "")
    assert word in ended.err
