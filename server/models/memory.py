"""A store that ends with its process: the journal's own database (server/store.py), in SQLite's memory.

The bound is `MAX_MEMORY`: when it is reached the store refuses as it does on a full disk, and the senders are told.
"""

from __future__ import annotations

from pathlib import Path

from server.history import History
from server.store import Store

MAX_MEMORY = 256 * 1024 * 1024
"""Bytes of messages, indexes included, that a server in memory keeps."""


class Memory(Store):
    """A store without a file. Whoever shares it among threads holds a lock around each call."""

    def __init__(self) -> None:
        super().__init__(Path(":memory:"))
        page_size = self._db.execute("PRAGMA page_size").fetchone()[0]
        self._db.execute(f"PRAGMA max_page_count = {MAX_MEMORY // page_size}")

    def history(self) -> History:
        """What is stored, read over the same connection: another would open a memory of its own."""
        return History(self._db)
