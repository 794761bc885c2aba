"""The server's data folder: its key and its database, held by one server at a time.

The Unix sockets live in a second folder, for their paths may have 107 bytes only: in the system's temporary folder,
named after the data folder, mode 0700. The lock on the data folder makes both ours, so what a killed server left
behind can be swept away.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from chat.secure import new_private_key
from server.failures import CannotServe


class Unusable(CannotServe):
    """The folder can't be used; the sentence says what to do."""


def _unusable(path: Path, error: OSError) -> Unusable:
    return Unusable(f"The data folder {path} can't be used: {error.strerror}; name another with --data.")


def shared_name(path: Path) -> str:
    """What belongs to the server of this data folder is called outside of it; the same for every process."""
    digest = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:12]
    return f"chat-server-{os.getuid()}-{digest}"


def gauges_of(path: Path) -> str:
    """The name of the shared memory in which the server of this folder counts; empty if none has run."""
    try:
        return (path / "lock").read_text()
    except OSError:
        return ""


class DataFolder:
    """An opened and locked data folder. `close` releases it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unusable(path, error) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise Unusable(f"Another server uses {path}; end it, or name another folder with --data.") from None
        self.sockets = Path(tempfile.gettempdir()) / shared_name(self.path)
        self.left_behind = gauges_of(self.path)
        """The name of the shared memory of the server before this one, if it was killed."""
        self.gauges = f"{shared_name(self.path)}-{secrets.token_hex(4)}"
        """The name of the shared memory that this server counts in. Not the one before's: what that server started
        outlives it by a moment, and its resource tracker then removes what has the old name."""
        self._sweep()
        try:
            os.ftruncate(self._lock, 0)
            os.write(self._lock, self.gauges.encode())
        except OSError as error:
            raise _unusable(path, error) from None

    @property
    def database(self) -> Path:
        return self.path / "chat.db"

    def private_key(self) -> bytes:
        """The server's X25519 private key, made on the first start."""
        path = self.path / "key"
        try:
            if not path.exists():
                self._make_key(path)
            key = path.read_bytes()
        except OSError as error:
            raise _unusable(self.path, error) from None
        if len(key) != 32:
            raise Unusable(f"{path} isn't a key; restore it (clients know the server by it) or move it away.")
        return key

    def next_start(self) -> int:
        """Now, in milliseconds of Unix time, and more than at any start before: the clock may have been set back."""
        path = self.path / "started"
        try:
            before = int(path.read_text())
        except (OSError, ValueError):
            before = 0
        started = max(time.time_ns() // 1_000_000, before + 1)
        with suppress(OSError):  # on a full disk the clock has to do
            path.write_text(str(started))
        return started

    def _make_key(self, path: Path) -> None:
        handle, temporary = tempfile.mkstemp(dir=self.path, prefix=".key-")  # mode 0600 from the start
        with os.fdopen(handle, "wb") as file:
            file.write(new_private_key())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        self._sync()  # the name too: clients would meet another key after a power cut

    def _sync(self) -> None:
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        shutil.rmtree(self.sockets, ignore_errors=True)
        os.close(self._lock)

    def _sweep(self) -> None:
        shutil.rmtree(self.sockets, ignore_errors=True)
        try:
            self.sockets.mkdir(mode=0o700)
        except OSError as error:
            raise Unusable(f"{self.sockets} can't be made ({error.strerror}); remove it.") from None
