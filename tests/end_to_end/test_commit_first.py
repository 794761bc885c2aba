"""Nothing is sent before its commit: the journal is killed while it stands still before the disk has it, and after."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from chat.messages import Join, RoomState, Said, Say
from client.failures import Failure
from tests.end_to_end.people import People
from tests.end_to_end.server_process import ServerProcess
from tests.end_to_end.stages import stages
from tests.end_to_end.standstill import AFTER, BEFORE, stands_still, tampering
from tests.end_to_end.talker import Talker
from tests.waiting import wait_for

SAY = Say("label", "r", "did it happen?")


def return_to(server: ServerProcess, people: People, name: str) -> Talker:
    def try_once() -> Talker | None:
        try:
            return Talker(server.address, people.home(name), name)
        except Failure:
            return None

    talker = wait_for(try_once, f"{name} is back")
    assert talker is not None
    return talker


def is_said(message: object) -> bool:
    return isinstance(message, Said)


@pytest.mark.parametrize("where", [BEFORE, AFTER], ids=["before", "after"])
def test_a_journal_killed_around_its_commit_has_told_nobody(where: str, server: ServerProcess, people: People) -> None:
    with (
        Talker(server.address, people.home("alice"), "alice") as alice,
        Talker(server.address, people.home("bob"), "bob") as bob,
    ):
        for talker in (alice, bob):
            talker.ask(Join("join", "r"))
        journal = stages(server)["journal"]
        with tampering(journal, "fdatasync,fsync", where) as strace:
            alice.connection.send(SAY)
            wait_for(lambda: stands_still(journal), "the journal stands at its commit")
            assert SAY.text.encode() in Path(f"{server.data}/chat.db-wal").read_bytes()
            assert not [message for talker in (alice, bob) for message in talker.heard if is_said(message)]
            os.kill(journal, signal.SIGKILL)
            strace.kill()  # it would finish its pause first, and the killed process with it
    with return_to(server, people, "bob") as bob, return_to(server, people, "alice") as alice:
        state = bob.ask(Join("again", "r", 0))
        assert isinstance(state, RoomState)
        assert where == BEFORE or state.last == 1  # synced: it is there, although nobody has heard of it
        again = alice.ask(SAY)
        assert isinstance(again, Said) and again.seq == 1
        bob.until(is_said, "hears it")
        assert bob.texts("r") == [SAY.text]
