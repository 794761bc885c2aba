"""A traced message comes with the times at which it was where, in the order of the pipeline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from chat.messages import Join, Message, Report, Reported, RoomState, Said, Say, Trail
from chat.trail import MODELS
from client.connection import Connection
from client.home import Home
from client.stamps import CLOCK, mark
from tests.end_to_end.server_process import ServerProcess

PIPELINE = [
    "epoll wake-up",
    "session step",
    "journal queue",
    "decided",
    "committed",
    "outlet",
    "encrypted and written",
]


def until(connection: Connection, kind: type[Message]) -> Message:
    return next(message for message in connection if isinstance(message, kind))


def test_a_trail_follows_its_message_and_comes_back_to_the_author(server: ServerProcess, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with (
        Connection.open(server.address, home=home, name="ann") as ann,
        Connection.open(server.address, home=home, name="ben") as ben,
    ):
        for person in (ann, ben):
            person.send(Join("j", "lobby"))
            until(person, RoomState)
        ann.send(Say("untraced", "lobby", "hush"), Say("traced", "lobby", "where?", trace=True))
        said = until(ben, Said)
        trail = until(ben, Trail)
        assert isinstance(said, Said) and isinstance(trail, Trail)
        assert (trail.author, trail.label) == ("ann", "traced")
        assert [stamp.place for stamp in trail.stamps] == PIPELINE
        assert [stamp.ns for stamp in trail.stamps] == sorted(stamp.ns for stamp in trail.stamps)
        assert {stamp.clock for stamp in trail.stamps} == {CLOCK}
        ben.send(Report("lobby", "ann", "traced", (*trail.stamps, mark("received"))))
        reported = until(ann, Reported)
        assert isinstance(reported, Reported)
        assert (reported.name, reported.label, reported.stamps[-1].place) == ("ben", "traced", "received")


def test_every_place_has_its_model() -> None:
    assert set(PIPELINE) <= set(MODELS)


def test_the_script_prints_every_place_and_its_share() -> None:
    command = [sys.executable, "-m", "scripts.tracing", "--messages", "20"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0, shown.stderr
    rows = [line for line in shown.stdout.splitlines() if line]
    assert [row[:22].strip() for row in rows[1:]] == ["typed", "sent", *PIPELINE, "received", "all of it"]
