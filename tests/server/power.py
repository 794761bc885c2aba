"""A disk that can lose its power: a SQLite VFS in memory that knows which writes were synced and which weren't.

    disk = Disk(random.Random(1), points=200)
    store = Store(Path("/chat.db"), disk.connect)     # the real one; `disk.acknowledge(...)` what it has promised
    for cut in disk.cuts: ...                         # what a power cut would have left, at random points of that run

Points are drawn evenly over all calls of the run, whose number nobody knows before its end: reservoir sampling.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

Write = tuple[int, bytes | None]
"""Bytes at an offset; None where the file was cut off there."""

_names = itertools.count()


class Platter:
    """One file: as it is, as it surely is on the disk, and the writes between the two."""

    def __init__(self) -> None:
        self.current = bytearray()
        self.synced = bytearray()
        self.pending: list[Write] = []

    def write(self, offset: int, data: bytes | None) -> None:
        self.pending.append((offset, data))
        _apply(self.current, offset, data)

    def sync(self) -> None:
        self.synced[:] = self.current
        self.pending.clear()

    def after_a_cut(self, chance: float, rng: random.Random) -> bytes:
        """The file with each unsynced write there or not, whatever the order in which they were made."""
        left = bytearray(self.synced)
        for offset, data in self.pending:
            if rng.random() < chance:
                _apply(left, offset, data)
        return bytes(left)


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


@dataclass(frozen=True, slots=True)
class Cut:
    """What is left of each file, and what had been promised to be there."""

    files: dict[str, bytes]
    acknowledged: int

    def restore(self, folder: Path) -> Path:
        """Write the files into a new folder; the database's path."""
        folder.mkdir()
        for name, content in self.files.items():
            (folder / Path(name).name).write_bytes(content)
        return folder / "chat.db"


class Disk:
    """The files, and the cuts drawn so far: at each point one that loses all unsynced writes, and one some of them."""

    def __init__(self, rng: random.Random, points: int) -> None:
        self.files: dict[str, Platter] = {}
        self.acknowledged = 0
        self._rng = rng
        self._points = points
        self._calls = 0
        self._drawn: list[tuple[Cut, Cut]] = []
        self._vfs = _Vfs(f"power-{next(_names)}", self)

    @property
    def cuts(self) -> Iterator[Cut]:
        return itertools.chain.from_iterable(self._drawn)

    @property
    def calls(self) -> int:
        """Writes, syncs, cuttings and deletions so far."""
        return self._calls

    def connect(self, path: Path, **options: Any) -> sqlite3.Connection:
        """Stands in for `sqlite3.connect`, with a checkpoint every few pages, so that those are cut as well."""
        connection = apsw.Connection(str(path), vfs=self._vfs.name)
        # The index of the log is shared memory, which a VFS in Python can't give; a lone user needs none.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA wal_autocheckpoint = 40")
        return LikeSqlite3(connection)  # type: ignore[return-value]

    def moment(self) -> None:
        """Something is about to happen to the files: the power may be cut just before."""
        self._calls += 1
        if len(self._drawn) < self._points:
            self._drawn.append((self._cut(0), self._cut(0.5)))
        elif (place := self._rng.randrange(self._calls)) < self._points:
            self._drawn[place] = (self._cut(0), self._cut(0.5))

    def _cut(self, chance: float) -> Cut:
        left = {name: platter.after_a_cut(chance, self._rng) for name, platter in self.files.items()}
        return Cut(left, self.acknowledged)


class LikeSqlite3:
    """As much of `sqlite3.Connection` as the store uses, over apsw's."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> LikeCursor:
        return LikeCursor(self._connection, self._connection.execute(sql, parameters))

    def executemany(self, sql: str, rows: list[Any]) -> None:
        self._connection.executemany(sql, rows)

    def executescript(self, sql: str) -> None:
        self._connection.execute(sql)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def close(self) -> None:
        self._connection.close()


class LikeCursor:
    """As much of a cursor."""

    def __init__(self, connection: apsw.Connection, cursor: apsw.Cursor) -> None:
        self.lastrowid = connection.last_insert_rowid()
        self._cursor = cursor

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)

    def fetchone(self) -> Any:
        return self._cursor.fetchone()


class _File:
    """An open file, by the names that SQLite's interface has for what is done to one (sqlite.org/vfs.html)."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk, self._name = disk, name
        disk.files.setdefault(name, Platter())

    @property
    def _platter(self) -> Platter:
        return self._disk.files[self._name]

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._platter.current[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.moment()
        self._platter.write(offset, bytes(data))

    def xTruncate(self, size: int) -> None:
        self._disk.moment()
        self._platter.write(size, None)

    def xSync(self, flags: int) -> None:
        self._disk.moment()
        self._platter.sync()

    def xFileSize(self) -> int:
        return len(self._platter.current)

    def xClose(self) -> None: ...
    def xLock(self, level: int) -> None: ...
    def xUnlock(self, level: int) -> None: ...
    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return 512

    def xDeviceCharacteristics(self) -> int:
        return 0


class _Vfs(apsw.VFS):
    def __init__(self, name: str, disk: Disk) -> None:
        self.name = name
        self._disk = disk
        super().__init__(name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        flags[1] = flags[0]
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return _File(self._disk, path or f"temporary-{next(_names)}")

    def xAccess(self, path: str, flags: int) -> bool:
        return path in self._disk.files

    def xDelete(self, path: str, sync_folder: bool) -> None:
        self._disk.moment()
        self._disk.files.pop(path, None)

    def xFullPathname(self, path: str) -> str:
        return path
