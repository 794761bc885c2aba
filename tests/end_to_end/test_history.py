"""What was said stays: in one order for all, across absence, restarts and kills."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat.messages import Join, Page, PageEnd, RoomState, Said, Say
from chat.values import Cursor
from client.connection import new_label
from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess
from tests.end_to_end.talker import Talker
from tests.waiting import wait_for


def numbered(room: str, first: int, last: int) -> str:
    return "".join(f"{room} #{number}\n" for number in range(first, last + 1))


def test_three_tails_in_two_rooms_see_the_same_numbers_in_the_same_order(server: ServerProcess, people: People) -> None:
    tails = {
        (name, room): people.start(name, "--room", room, "--tail", "--since", "0")
        for name in ("ann", "ben", "cleo")
        for room in ("red", "blue")
    }
    writers = [people.start(f"writer{n}", "--room", room, "--send", "-") for n, room in enumerate(["red", "blue"] * 2)]
    for n, writer in enumerate(writers):
        assert writer.process.stdin is not None
        writer.process.stdin.write("".join(f"{n}.{line}\n" for line in range(200)).encode())
        assert writer.wait().status == 0
    for room in ("red", "blue"):
        streams = []
        for name in ("ann", "ben", "cleo"):
            tail = tails[name, room]
            wait_for(lambda tail=tail: len(tail.messages()) >= 400, f"{name} has all of {room}")
            streams.append([(message["seq"], message["author"], message["text"]) for message in tail.messages()])
            assert tail.end().status == 0
        assert [seq for seq, _, _ in streams[0]] == list(range(1, 401))
        assert streams[0] == streams[1] == streams[2]
        for n, writer_room in enumerate(["red", "blue"] * 2):
            if writer_room == room:  # each author's own order
                said = [text for _, author, text in streams[0] if author == f"writer{n}"]
                assert said == [f"{n}.{line}" for line in range(200)]


def test_who_was_away_gets_exactly_what_was_missed(server: ServerProcess, people: People) -> None:
    with Talker(server.address, people.home("alice"), "alice") as alice:
        alice.ask(Join(new_label(), "r"))
        people.run("bob", "--room", "r", "--send", "-", stdin="1\n2\n3\n")
        alice.until(lambda m: isinstance(m, Said) and m.seq == 3, "hears the third")
    people.run("bob", "--room", "r", "--send", "-", stdin="4\n5\n6\n")
    with Talker(server.address, people.home("alice"), "alice", (Cursor("r", 3),)) as alice:
        state = alice.until(lambda m: isinstance(m, RoomState), "is still a member")
        assert isinstance(state, RoomState) and (state.room, state.last) == ("r", 6)
        people.run("bob", "--room", "r", "--send", "7")
        alice.until(lambda m: isinstance(m, Said) and m.seq == 7, "hears the seventh")
        assert alice.texts("r") == ["4", "5", "6", "7"]


def test_a_page_at_a_time_backwards(server: ServerProcess, people: People) -> None:
    people.run("bob", "--room", "r", "--send", "-", stdin="".join(f"{n}\n" for n in range(1, 131)))
    with Talker(server.address, people.home("bob"), "bob") as bob:
        for before, limit, first, last in ((131, 50, 81, 130), (81, 50, 31, 80), (31, 50, 1, 30), (1, 50, 0, 0)):
            bob.heard.clear()
            label = new_label()
            bob.connection.send(Page(label, "r", before, limit))
            end = bob.until(lambda m, label=label: isinstance(m, PageEnd) and m.label == label, "the page's end")
            assert isinstance(end, PageEnd) and end.oldest == first
            assert bob.texts("r") == [str(n) for n in range(first, last + 1) if n]


def test_a_restart_keeps_rooms_members_names_and_messages(server: ServerProcess, people: People) -> None:
    assert people.run("bob", "--room", "r", "--send", "-", stdin="1\n2\n").out == numbered("r", 1, 2)
    fingerprint = server.fingerprint
    server.restart()
    assert server.fingerprint == fingerprint
    assert people.run("alice", "--room", "r", "--send", "3").out == numbered("r", 3, 3)
    with Talker(server.address, people.home("bob"), "bob") as bob:
        state = bob.until(lambda m: isinstance(m, RoomState), "is still a member")
        assert isinstance(state, RoomState) and {person.name for person in state.members} == {"alice", "bob"}
    ended = people.run("carol", "--room", "r", "--tail", "--since", "0", "--count", "3")
    assert [f'"text": "{n}"' in line for n, line in enumerate(ended.out.splitlines(), 1)] == [True] * 3


def test_a_command_sent_twice_is_stored_once_also_over_a_restart(server: ServerProcess, people: People) -> None:
    label = new_label()
    with Talker(server.address, people.home("bob"), "bob") as bob:
        bob.ask(Join(new_label(), "r"))
        bob.ask(Say(label, "r", "once"))
        bob.heard.clear()
        again = bob.ask(Say(label, "r", "once"))
        assert isinstance(again, Said) and again.seq == 1
    server.restart()
    with Talker(server.address, people.home("bob"), "bob") as bob:
        again = bob.ask(Say(label, "r", "once"))
        assert isinstance(again, Said) and again.seq == 1
        other = bob.ask(Say(new_label(), "r", "twice"))
        assert isinstance(other, Said) and other.seq == 2


@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_a_tail_and_a_sender_go_on_over_the_servers_ends(end: str, server: ServerProcess, people: People) -> None:
    tail = people.start("alice", "--room", "r", "--tail", "--since", "0")
    sender = people.start("bob", "--room", "r", "--send", "-")
    stdin = sender.process.stdin
    assert stdin is not None
    lines = 0
    for _ in range(3):
        stdin.write("".join(f"line {lines + n}\n" for n in range(500)).encode())
        stdin.flush()
        lines += 500
        wait_for(lambda: sender.out.count("\n") > lines - 490, "some of it is stored")  # noqa: B023
        wait_for(tail.messages, "the tail has begun")
        getattr(server, end)()
        wait_for(lambda: not server.processes(), "nothing of the old server is left", units=5)
        server.start()
    ended = sender.wait()
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == numbered("r", 1, lines)
    wait_for(lambda: len(tail.messages()) >= lines, "the tail has all")
    assert tail.numbers() == list(range(1, lines + 1))
    assert [message["text"] for message in tail.messages()] == [f"line {n}" for n in range(lines)]
    assert tail.end().status == 0


def test_a_long_history_is_paged_in_whole(server: ServerProcess, people: People, tmp_path: Path) -> None:
    people.run("bob", "--room", "r", "--send", "-", stdin="".join(f"{n} {'x' * 300}\n" for n in range(3000)))
    ended = people.run("alice", "--room", "r", "--tail", "--since", "0", "--count", "3000")
    assert ended.status == 0
    numbers = [int(line.split('"seq": ')[1].split(",")[0]) for line in ended.out.splitlines()]
    assert numbers == list(range(1, 3001))
