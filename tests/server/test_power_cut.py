"""A power cut at 200 random points of a run: what was acknowledged is there, and the database is whole.

And the control: with `synchronous=NORMAL`, where SQLite's commits don't sync, the same run must lose something,
or the simulation would prove nothing.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chat.codec import decode
from chat.messages import Join, Login, Said, Say, Tell, Topic
from server.clerk import Clerk
from server.parcels import Arrived, Asked, Intake, Parcel, ToRoom
from server.store import Store
from tests.server.power import Cut, Disk, LikeSqlite3

POINTS = 200
CONTROL_POINTS = 30
BATCHES = 60
PEOPLE = ("alice", "bob", "carol")


def run(disk: Disk, rng: random.Random, connect: Any) -> list[Said]:
    """Batches of the real clerk on the real store; gives back the messages it let out, in order."""
    said: list[Said] = []
    store = Store(Path("/chat.db"), connect)
    clerk = Clerk(store, "here")

    def work(batch: list[Intake]) -> None:
        said.extend(messages(clerk.work(batch)))
        disk.acknowledged = len(said)

    for number, name in enumerate(PEOPLE):
        work([Arrived(number, name.encode(), b""), Asked(number, 0.0, Login(name))])
        work([Asked(number, 0.0, Join(f"{name}{room}", room)) for room in ("ops", "dev")])
    for batch in range(BATCHES):
        work([asked(rng, f"{batch}-{place}") for place in range(rng.randint(1, 12))])
        if not batch % 4:
            store.index()
    return said


def asked(rng: random.Random, label: str) -> Asked:
    author = rng.randrange(len(PEOPLE))
    text = f"{label} " + "".join(rng.choices("abcdefgh ", k=rng.randint(1, 400)))
    command = rng.choices(
        [
            Say(label, rng.choice(["ops", "dev"]), text),
            Tell(label, PEOPLE[author - 1], text),
            Topic(label, "ops", text[:100]),
        ],
        [8, 1, 1],
    )[0]
    return Asked(author, rng.random(), command)


def messages(parcels: list[Parcel]) -> list[Said]:
    blobs = [blob for parcel in parcels if isinstance(parcel, ToRoom) for blob in parcel.messages]
    return [message for blob in blobs for message in decode(blob) if isinstance(message, Said)]


def recovered(cut: Cut, folder: Path) -> list[Said]:
    """What a server finds after the power is back; fails if the database isn't whole or doesn't go on."""
    path = cut.restore(folder)
    with closing(Store(path)) as store:
        clerk = Clerk(store, "here")
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            kept = [body for (body,) in db.execute("SELECT body FROM events WHERE kind = 'said' ORDER BY position")]
            words = db.execute("SELECT count(*) FROM words").fetchone()[0]
        said = [message for body in kept for message in decode(body) if isinstance(message, Said)]
        assert words == len(said), "the index has another number of messages"
        for room in {message.room for message in said}:
            numbers = [message.seq for message in said if message.room == room]
            assert numbers == list(range(1, len(numbers) + 1))
        clerk.work([Arrived(9, b"bob", b""), Asked(9, 0.0, Login("bob")), Asked(9, 0.0, Join("again", "ops"))])
        (next_one,) = messages(clerk.work([Asked(9, 0.0, Say("after", "ops", "the power is back"))]))
        assert next_one.seq == 1 + sum(message.room == "ops" for message in said)
    return said


def test_nothing_acknowledged_is_lost_and_the_database_is_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = random.randrange(2**32)
    disk = Disk(random.Random(seed), POINTS)
    said = run(disk, random.Random(seed + 1), disk.connect)
    cuts = list(disk.cuts)
    for number, cut in enumerate(cuts):
        kept = recovered(cut, tmp_path / str(number))
        assert kept[: cut.acknowledged] == said[: cut.acknowledged], f"seed {seed}, cut {number}"
    with capsys.disabled():
        print(f"\n  power cut at {POINTS} of {disk.calls} points: {len(cuts)} states, 0 lost of {len(said)}", end=" ")
    assert len(cuts) == 2 * POINTS and disk.calls > 2 * POINTS


def test_the_control_without_full_synchronisation_loses_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Hasty(LikeSqlite3):
        def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> Any:
            return super().execute(sql.replace("synchronous = FULL", "synchronous = NORMAL"), parameters)

    disk = Disk(random.Random(1), CONTROL_POINTS)
    run(disk, random.Random(2), lambda path, **options: Hasty(disk.connect(path)._connection))  # type: ignore[attr-defined]
    lost = [
        cut.acknowledged - len(kept)
        for number, cut in enumerate(disk.cuts)
        if len(kept := recovered(cut, tmp_path / str(number))) < cut.acknowledged
    ]
    with capsys.disabled():
        print(f"\n  with synchronous=NORMAL: messages lost in {len(lost)} of {2 * CONTROL_POINTS} states", end=" ")
    assert lost
