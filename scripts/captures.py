"""`scripts/capture`: pictures of the terminal client in a busy room, of /models and of /trace, from real runs."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from chat.messages import Join, Joined, Leave, Say, Status, Tell, Topic, Typing
from client.connection import Connection, new_label
from client.home import Home
from scripts.own_server import OwnServer
from scripts.picture import save
from scripts.terminal import Terminal

DOCS = Path(__file__).parent.parent / "docs"

TALK = {
    "ops": [
        ("dave", "the backup of the lab's disk is done, 212 GB in 41 minutes"),
        ("erin", "thanks! does bob know?"),
        ("dave", "bob: the old disk can go"),
    ],
    "lunch": [
        ("carol", "who is in for the noodle place at 12:30?"),
        ("erin", "me"),
        ("dave", "me too, if the build is green by then"),
    ],
    "lobby": [
        ("alice", "good morning!"),
        ("carol", "morning. The demo is at three, in the big room"),
        ("carol", "projector is booked, and I put the slides on the share"),
        ("bob", "great. I'll bring the adapter that nobody can ever find"),
        ("alice", "you are a hero, bob"),
        ("erin", "What do we show? So far:\n- join without any set-up\n- pull the plug, lose nothing\n- /models"),
        ("dave", "pull the plug *first*. It's what people remember"),
        ("alice", "and then `kill -9` of a worker while they watch the numbers go on"),
        ("carol", "see http://studio.local/demo for the plan, and tell me what is missing"),
    ],
}
"""What is said, room by room; the last one is open in the picture."""

BUSY = re.compile(r"\b1\d\d commands/s")
"""What the reader's box says while three people talk."""


def main() -> int:
    parser = argparse.ArgumentParser("scripts/capture", description="Make the pictures in docs/ anew.")
    parser.add_argument("pictures", nargs="*", metavar="picture", help=f"of {', '.join(PICTURES)} (default: all)")
    parser.add_argument("--folder", type=Path, default=DOCS, help="where to put them (default: docs)")
    chosen = parser.parse_args()
    if unknown := set(chosen.pictures) - set(PICTURES):
        parser.error(f"There is no picture {unknown.pop()}; there are {', '.join(PICTURES)}.")
    for name in chosen.pictures or PICTURES:
        columns, rows, play = PICTURES[name]
        with Stage(columns, rows) as stage:
            play(stage)
            save(stage.terminal.cells(), chosen.folder / f"{name}.png")
    return 0


class Stage:
    """A server with people who have talked, and bob's terminal in front of it."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows

    def __enter__(self) -> Stage:
        with ExitStack() as self._ends:
            self._set_up()
            self._ends = self._ends.pop_all()  # all went well: it ends with the stage, not here
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def enter(self, name: str) -> Connection:
        """A connection of somebody with a home of their own."""
        home = Home(self._folder / name)
        return self._ends.enter_context(Connection.open(self.server.address, home=home, name=name))

    def _set_up(self) -> None:
        self.server = self._ends.enter_context(OwnServer("--name", "studio"))
        self._folder = Path(self._ends.enter_context(tempfile.TemporaryDirectory()))
        self.people = {name: self.enter(name) for name in ("bob", "alice", "carol", "dave", "erin")}
        self._play()
        environment = {**os.environ, "CHAT_HOME": str(self._folder / "bob"), "CHAT_DISCOVERY": "loopback"}
        host, port = self.server.address
        command = [str(Path(sys.executable).with_name("chat-client")), "--name", "bob", "--server", f"{host}:{port}"]
        self.terminal = self._ends.enter_context(Terminal(command, self.columns, self.rows, environment))
        self.terminal.wait_for("studio.local")

    def _play(self) -> None:
        """Everybody joins, and the talk is held line by line; bob's own connection leaves before his terminal comes."""
        for room, lines in TALK.items():
            for person in self.people.values():
                ask(person, Join(new_label(), room))
            for author, text in lines:
                ask(self.people[author], Say(new_label(), room, text))
        self.people["alice"].send(Topic(new_label(), "lobby", "Demo today at 15:00, big room"))
        self.people["erin"].send(Tell(new_label(), "bob", "can you lend me your 10 mm socket?"), Status(True))
        self.people["dave"].send(Leave(new_label(), "lunch"))
        self.people.pop("bob").close()


def ask(connection: Connection, command: Join | Say) -> None:
    """Send a command, and read on until its answer has come."""
    connection.send(command)
    for message in connection:
        if getattr(message, "label", "") == command.label and not isinstance(message, Joined):
            return
    raise ConnectionError(connection.ended)


def screen(stage: Stage) -> None:
    """The busy room, with somebody typing and a message half written."""
    stage.people["alice"].send(Typing("lobby"))
    stage.terminal.wait_for("alice is typing")
    stage.terminal.type("The adapter is on its way")
    stage.terminal.wait_for("The adapter is on its way")


def models(stage: Stage) -> None:
    """The pipeline and the client at work, while three people talk without a pause."""
    stop = threading.Event()

    def talk(person: Connection) -> None:
        while not stop.wait(0.02):
            person.send(Say(new_label(), "lunch", "noodles!"))

    talkers = [threading.Thread(target=talk, args=(stage.people[name],)) for name in ("alice", "carol", "dave")]
    for talker in talkers:
        talker.start()
    try:
        stage.terminal.type("\x1bOQ")  # F2
        stage.terminal.wait_for("reader · epoll", lambda lines: any(BUSY.search(line) for line in lines))
    finally:
        stop.set()
        for talker in talkers:
            talker.join()


def trace(stage: Stage) -> None:
    """The way of a message from Enter to the own screen."""
    stage.terminal.type("/trace\r")
    stage.terminal.wait_for("From now on")
    stage.terminal.type("where have you been?\r")
    stage.terminal.wait_for("all of it")


PICTURES: dict[str, tuple[int, int, Callable[[Stage], None]]] = {
    "screen": (112, 32, screen),
    "models": (170, 27, models),
    "trace": (112, 32, trace),
}
"""By name: columns, rows, and what is to be done before the picture is taken."""

if __name__ == "__main__":
    sys.exit(main())
