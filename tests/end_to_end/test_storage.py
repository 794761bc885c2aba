"""A full disk, a read-only one, a damaged database: people are told, nothing is lost, and nothing is made worse."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chat.messages import Join, Page, PageEnd, Refused, RoomState, Said, Say
from client.connection import new_label
from server.database import SCHEMA_VERSION
from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess
from tests.end_to_end.small_disk import SmallDisk, small_disk
from tests.end_to_end.stages import stages
from tests.end_to_end.standstill import tampering
from tests.end_to_end.talker import Talker

TEXT = "x" * 15_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 8) as disk:
        yield disk


@pytest.fixture
def cramped(disk: SmallDisk, tmp_path: Path) -> Iterator[tuple[ServerProcess, People]]:
    """A server whose data is on the small disk."""
    with ServerProcess(disk.path / "data", "--rate", "0", "--workers", "2", log=tmp_path / "log") as server:
        company = People(tmp_path / "people", server.where)
        yield server, company
        company.close()


def say_until_refused(talker: Talker) -> tuple[int, Refused]:
    """How many messages were stored before the first refusal, and that."""
    for number in range(1000):
        answer = talker.ask(Say(new_label(), "r", f"{number} {TEXT}"))
        if isinstance(answer, Refused):
            return number, answer
        assert isinstance(answer, Said)
    raise AssertionError("the disk is never full")


def test_on_a_full_disk_senders_are_refused_reading_goes_on_and_with_room_it_goes_on(
    cramped: tuple[ServerProcess, People], disk: SmallDisk
) -> None:
    server, people = cramped
    assert people.run("bob", "--room", "r", "--send", "first").status == 0
    with Talker(server.address, people.home("alice"), "alice") as alice:
        alice.ask(Join("join", "r"))
        disk.fill()
        before = stages(server)
        stored, refusal = say_until_refused(alice)
        assert refusal.code == "storage_full" and "full" in refusal.sentence
        ended = people.run("bob", "--room", "r", "--send", "no room")
        assert (ended.status, ended.out) == (4, "") and "store" in ended.err
        assert people.run("carol", "--send", "x").status == 4  # her name couldn't be kept
        with Talker(server.address, people.home("bob"), "bob") as bob:  # and yet one can log in, and read
            state = bob.ask(Join(new_label(), "r", 0))
            assert isinstance(state, RoomState) and state.last == 1 + stored
            bob.until(lambda message: isinstance(message, Said) and message.seq == 1 + stored, "reads all of it")
            assert isinstance(bob.ask(Page(new_label(), "r", 2**50, 5)), (Said, PageEnd))
        disk.make_room()
        said = alice.ask(Say(new_label(), "r", "room again"))
        assert isinstance(said, Said) and said.seq == 2 + stored
        assert stages(server) == before, "it went on without a restart"
    numbers = [message.seq for message in alice.heard if isinstance(message, Said)]
    assert sorted(set(numbers)) == list(range(2, 3 + stored))
    server.restart()
    assert people.run("carol", "--room", "r", "--send", "hello").out == f"r #{3 + stored}\n"


def test_on_a_disk_that_turns_read_only_the_same(server: ServerProcess, people: People) -> None:
    with Talker(server.address, people.home("alice"), "alice") as alice:
        alice.ask(Join("join", "r"))
        alice.ask(Say("one", "r", "one"))
        before = stages(server)
        # What the kernel answers after errors=remount-ro. A mount with open files can't be made so from outside.
        with tampering(before["journal"], "pwrite64,ftruncate,fdatasync", "error=EROFS"):
            refusal = alice.ask(Say("two", "r", "two"))
            assert isinstance(refusal, Refused) and refusal.code == "storage_full"
            assert isinstance(alice.ask(Page("page", "r", 2**50, 5)), (Said, PageEnd))
        said = alice.ask(Say("three", "r", "three"))
        assert isinstance(said, Said) and said.seq == 2
        assert stages(server) == before


def test_a_folder_on_a_read_only_disk_is_refused_in_one_sentence(disk: SmallDisk, tmp_path: Path) -> None:
    with ServerProcess(disk.path / "data", log=tmp_path / "log"):
        pass
    disk.make_read_only(True)
    assert "Read-only" in refused_start(disk.path / "data", tmp_path)
    disk.make_read_only(False)


@pytest.mark.parametrize("harm", ["newer", "damaged"])
def test_a_database_that_cannot_be_used_ends_the_start_and_stays_as_it_is(harm: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with ServerProcess(data):
        pass
    path = data / "chat.db"
    if harm == "newer":
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    else:
        path.write_bytes(path.read_bytes()[:4096] + bytes(4096) + path.read_bytes()[8192:])
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    complaint = refused_start(data, tmp_path)
    assert str(path) in complaint and ("update the server" in complaint) == (harm == "newer")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert [file.name for file in data.iterdir() if file.name.startswith("chat.db")] == ["chat.db"]


def refused_start(data: Path, tmp_path: Path) -> str:
    """Start a server that can't serve: what it says, after status 1 and with none of its processes left."""
    server = ServerProcess(data, log=tmp_path / "refused.log")
    with pytest.raises(AssertionError, match="chat-server: "):
        server.start()
    assert server.process is not None and server.process.wait(5) == 1
    assert server.processes() == []
    server.__exit__(AssertionError, None, None)
    lines = server.log.read_text().splitlines()
    assert "Traceback" not in server.log.read_text()
    return lines[-1]
