"""A long history: searches over all of it, and opening a room with a million messages at its end and in its middle."""

from __future__ import annotations

import itertools
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tqdm import tqdm

from chat.messages import Joined, RoomState, Said, Search, SearchEnd
from chat.rooms import Claimed, Read
from chat.secure import public_key
from client.connection import Connection, new_label
from client.home import Home
from scripts.feeling.keys import client
from scripts.own_server import OwnServer
from scripts.terminal import Terminal
from server.store import Store

ROOM, SMALL_ROOM = "archive", "lobby"
AUTHORS = [f"author{number}" for number in range(20)]
WORDS = ["".join(each) for each in itertools.product("bdfghjklmnprstvwxz", "aeiou", "bdfgklmnprst", "aeiou")]
"""As many as people use, and as unequally: the first ones far more often."""

BATCH = 4096
OPENINGS = 10
TO_ARCHIVE, TO_LOBBY = "\x1b1", "\x1b2"
"""Alt+1 and Alt+2: rooms are listed by name."""


def measure(messages: int, searches: int) -> Iterator[tuple[str, list[float]]]:
    """Each situation, with the seconds that it took, over a history of so many messages."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        server = OwnServer()
        server.data.mkdir()
        write(server.data / "chat.db", messages, folder)
        ends.enter_context(server)
        yield f"a search over {messages:,} messages, to its answer", search(server, folder, searches)
        at_end, in_middle = f"{messages:,} messages at the newest", f"{messages:,} messages where one stopped"
        yield f"opening a room of {at_end}", open_room(server, folder, "bob", messages)
        yield f"opening a room of {in_middle}", open_room(server, folder, "carol", messages // 2 + 1)


def write(path: Path, count: int, folder: Path) -> None:
    """`count` messages, written as the journal does, most of which carol has half read."""
    store = Store(path)
    people = {name: public_key(Home(folder / name).private_key()) for name in ("bob", "carol")}
    people |= {author: bytes([number]) * 32 for number, author in enumerate(AUTHORS)}
    store.commit(store.place([Claimed(1.0, name, key) for name, key in people.items()]))
    rooms = [(SMALL_ROOM, name) for name in ("bob", "carol")] + [(ROOM, name) for name in people]
    store.commit(store.place([Joined(room, 1, 1.0, name, "") for room, name in rooms]))
    chance = random.Random(1)
    for first in tqdm(range(1, count + 1, BATCH), desc="history", unit="batch", disable=not sys.stderr.isatty()):
        store.commit(store.place([_said(seq, chance) for seq in range(first, min(first + BATCH, count + 1))]))
    marks = [Read(ROOM, count, "bob"), Read(ROOM, count // 2, "carol")]
    store.commit(store.place(marks))
    store.close()


def search(server: OwnServer, folder: Path, times: int) -> list[float]:
    """Seconds from asking to the end of the answer: rare words and common ones, some of one author or in one room."""
    taken = []
    chance = random.Random(2)
    with Connection.open(server.address, home=Home(folder / "bob"), name="bob") as bob:
        stream = iter(bob)
        next(message for message in stream if isinstance(message, RoomState) and message.room == SMALL_ROOM)
        for _ in range(times):
            words = " ".join(_word(chance) for _ in range(chance.randint(1, 3)))
            author = chance.choice(["", "", chance.choice(AUTHORS)])
            wanted = Search(new_label(), words, author, chance.choice(["", ROOM]))
            begun = time.perf_counter()
            bob.send(wanted)
            next(message for message in stream if isinstance(message, SearchEnd) and message.label == wanted.label)
            taken.append(time.perf_counter() - begun)
    return taken


def open_room(server: OwnServer, folder: Path, name: str, shown: int) -> list[float]:
    """Seconds from the key that opens the room, of which nothing is here yet, to message number `shown`."""
    taken = []
    for _ in range(OPENINGS):
        with client(server.address, folder, name) as terminal:
            terminal.wait_for(f"{name} on ", f"{SMALL_ROOM}>")
            begun = time.perf_counter()
            terminal.type(TO_ARCHIVE)
            terminal.wait_for(f"#{shown} ")
            taken.append(time.perf_counter() - begun)
            _leave(terminal)
    return taken


def _leave(terminal: Terminal) -> None:
    """End at once: a second later the server would be told that the room was read."""
    terminal.process.kill()
    terminal.process.wait()


def _said(seq: int, chance: random.Random) -> Said:
    text = f"#{seq} " + " ".join(_word(chance) for _ in range(chance.randint(3, 12)))
    return Said(ROOM, seq, 1e9 + 60 * seq, chance.choice(AUTHORS), f"{seq}", text)


def _word(chance: random.Random) -> str:
    return WORDS[int(len(WORDS) * chance.random() ** 3)]
