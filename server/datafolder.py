"""The server's data folder: its key and its database, held by one server at a time.

The Unix sockets live in a second folder, for their paths may have 107 bytes only: in the system's temporary folder,
named after the data folder, mode 0700. The lock on the data folder makes both ours, so what a killed server left
behind can be swept away.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from chat.secure import new_private_key
from server.failures import CannotServe


class Unusable(CannotServe):
    """The folder can't be used; the sentence says what to do."""


def shared_name(path: Path) -> str:
    """What belongs to the server of this data folder is called outside of it; the same for every process."""
    digest = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:12]
    return f"chat-server-{os.getuid()}-{digest}"


class DataFolder:
    """An opened and locked data folder. `close` releases it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unusable(
                f"The data folder {path} can't be used: {error.strerror}; name another with --data."
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise Unusable(f"Another server uses {path}; end it, or name another folder with --data.") from None
        self.sockets = Path(tempfile.gettempdir()) / shared_name(self.path)
        self.gauges = shared_name(self.path)
        """The name of the shared memory that this folder's server counts in."""
        self._sweep()

    @property
    def database(self) -> Path:
        return self.path / "chat.db"

    def private_key(self) -> bytes:
        """The server's X25519 private key, made on the first start."""
        path = self.path / "key"
        if not path.exists():
            handle, temporary = tempfile.mkstemp(dir=self.path, prefix=".key-")  # mode 0600 from the start
            with os.fdopen(handle, "wb") as file:
                file.write(new_private_key())
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        key = path.read_bytes()
        if len(key) != 32:
            raise Unusable(f"{path} isn't a key; restore it (clients know the server by it) or move it away.")
        return key

    def close(self) -> None:
        shutil.rmtree(self.sockets, ignore_errors=True)
        os.close(self._lock)

    def _sweep(self) -> None:
        shutil.rmtree(self.sockets, ignore_errors=True)
        try:
            self.sockets.mkdir(mode=0o700)
        except OSError as error:
            raise Unusable(f"{self.sockets} can't be made ({error.strerror}); remove it.") from None
