"""One suite for every concurrency model, the pipeline too: what a client may expect that comes alone."""

from __future__ import annotations

import contextlib
import socket

import psutil
import pytest

from chat.frames import frame
from chat.messages import (
    Leave,
    Left,
    Page,
    PageEnd,
    Ping,
    Pong,
    RoomList,
    Rooms,
    RoomState,
    Said,
    Say,
    Topic,
    TopicSet,
    Who,
)
from chat.messages import Refused as RefusedNotice
from chat.values import Cursor
from client.connection import new_label
from client.failures import Refused
from tests.end_to_end.models.guests import Guests
from tests.end_to_end.models.which import EVERY
from tests.end_to_end.server_process import ServerProcess
from tests.waiting import UNIT, wait_for

pytestmark = pytest.mark.parametrize("model", EVERY, scope="package", indirect=True)


def test_what_is_said_is_numbered_and_found_again(guests: Guests) -> None:
    writer = guests.login("writer")
    assert writer.join("notes").last == 0
    assert [writer.say("notes", f"note {number}").seq for number in (1, 2, 3)] == [1, 2, 3]
    writer.leave()
    again = guests.login("writer", Cursor("notes", 1))
    assert again.hears(RoomState, room="notes").last == 3
    assert [again.hears(Said).text for _ in range(2)] == ["note 2", "note 3"]


def test_a_page_of_history(guests: Guests) -> None:
    writer = guests.login("pager")
    writer.join("pages")
    for number in range(1, 8):
        writer.say("pages", str(number))
    label = writer.ask(Page(new_label(), "pages", before=6, limit=3))
    assert [writer.hears(Said).seq for _ in range(3)] == [3, 4, 5]
    assert writer.hears(PageEnd, label=label).oldest == 3


def test_a_replay_larger_than_any_buffer_comes_complete_and_in_order(guests: Guests) -> None:
    writer = guests.login("chronicler")
    writer.join("chronicle")
    texts = [f"{number} ".ljust(16_000, "x") for number in range(150)]  # 2.4 MB: ten times what goes in one go
    for text in texts:
        writer.ask(Say(new_label(), "chronicle", text))
    writer.hears(Said, seq=len(texts))
    writer.leave()
    reader = guests.login("reader-of-all")
    reader.join("chronicle", since=0)
    assert [reader.hears(Said).text for _ in texts] == texts


def test_a_command_sent_twice_counts_once(guests: Guests) -> None:
    writer = guests.login("stammerer")
    writer.join("echo")
    command = Say("the-same-label", "echo", "once")
    writer.ask(command)
    writer.ask(command)
    assert [writer.hears(Said, label="the-same-label").seq for _ in range(2)] == [1, 1]
    assert writer.say("echo", "next").seq == 2


def test_answers(guests: Guests) -> None:
    guest = guests.login("asker")
    guest.join("questions")
    assert guest.hears(TopicSet, label=guest.ask(Topic(new_label(), "questions", "why"))).topic == "why"
    assert [
        person.name for person in guest.hears(RoomState, label=guest.ask(Who(new_label(), "questions"))).members
    ] == ["asker"]
    listings = guest.hears(RoomList, label=guest.ask(Rooms(new_label()))).rooms
    assert ("questions", 1, "why") in [(listing.room, listing.members, listing.topic) for listing in listings]
    guest.hears(Pong, label=guest.ask(Ping(new_label())))
    guest.hears(Left, label=guest.ask(Leave(new_label(), "questions")))


def test_refusals(guests: Guests) -> None:
    guest = guests.login("stranger")
    label = guest.ask(Say(new_label(), "locked", "let me in"))
    assert guest.hears(RefusedNotice, label=label).code == "not_a_member"
    guest.leave()
    with pytest.raises(Refused) as taken:
        guests.login("stranger", home="somebody-else")
    assert taken.value.code == "name_taken"
    with pytest.raises(Refused) as unused:
        guests.login("stranger", passphrase="open sesame")
    assert unused.value.code == "passphrase_unused"


def test_garbage_costs_only_who_sends_it(server: ServerProcess, guests: Guests) -> None:
    for garbage in (b"GET / HTTP/1.1\r\n\r\n" * 1_100, frame(b"x" * 40), frame(b""), b"\xff\xff" + bytes(70_000)):
        with socket.create_connection(server.address, timeout=10 * UNIT) as sock:
            try:
                sock.sendall(garbage)
                while sock.recv(4096):
                    pass
            except ConnectionError:
                pass  # ended all the same
    guest = guests.login("unimpressed")
    guest.hears(Pong, label=guest.ask(Ping(new_label())))


def test_connections_leave_nothing_behind(server: ServerProcess, guests: Guests) -> None:
    guests.login("regular").leave()

    def descriptors() -> int:
        count = 0
        for process in server.processes():
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
                count += process.num_fds()
        return count

    guests.login("regular").leave()
    before = descriptors()
    for _ in range(20):
        socket.create_connection(server.address).close()
        guests.login("regular").leave()
    # A few may be new: a Pool's worker opens its way to the Manager with its first client.
    wait_for(lambda: descriptors() <= before + 5, f"descriptors back to {before}")
