"""What a client keeps on disk: its private key, and the keys of the servers it has met.

Everything is written to a new file beside the old and moved over it, so that a crash leaves one or the other, and
the private key is created with mode 0600, never changed to it later.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import TypedDict

import platformdirs

from chat.secure import fingerprint, new_private_key
from client.failures import Failure, KeyChanged


class KnownServer(TypedDict):
    """What is remembered of one server, under its `HOST:PORT`."""

    key: str
    name: str
    last_used: float


class Home:
    """The folder of a client's user: `CHAT_HOME`, or the platform's user data folder."""

    def __init__(self, folder: Path | None = None) -> None:
        chosen = folder or os.environ.get("CHAT_HOME") or platformdirs.user_data_dir("lan-chat", appauthor=False)
        self.folder = Path(chosen)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Failure(f"Can't make {self.folder}: {error.strerror}; set CHAT_HOME to another folder.") from error

    def private_key(self) -> bytes:
        """This user's X25519 private key, made on first use. Two clients starting at once get the same one."""
        path = self.folder / "key"
        if not path.exists():
            _write_once(path, new_private_key())
        key = path.read_bytes()
        if len(key) != 32:
            raise Failure(f"{path} isn't a key; move it away to get a new one (your names stay with the old).")
        return key

    def known_servers(self) -> dict[str, KnownServer]:
        """The servers met so far, by `HOST:PORT`."""
        try:
            servers: dict[str, KnownServer] = json.loads((self.folder / "known_servers").read_text())
        except FileNotFoundError:
            return {}
        except ValueError:
            raise Failure(f"{self.folder / 'known_servers'} is damaged; mend it or move it away.") from None
        return servers

    def check_server(self, address: str, key: bytes) -> None:
        """Raise `KeyChanged` if another key is known for `address`; an unknown server passes."""
        known = self.known_servers().get(address)
        if known is not None and known["key"] != key.hex():
            raise KeyChanged(
                f"The key of {address} has changed: it was {fingerprint(bytes.fromhex(known['key']))} and is now "
                f"{fingerprint(key)}. If its owner confirms the new one, remove the line of {address} from "
                f"{self.folder / 'known_servers'}."
            )

    def remember_server(self, address: str, key: bytes, name: str) -> None:
        """Keep the key of a server that one is logged in to."""
        servers = self.known_servers()
        servers[address] = {"key": key.hex(), "name": name, "last_used": time.time()}
        _write(self.folder / "known_servers", json.dumps(servers, indent=1).encode())


def _write(path: Path, data: bytes) -> None:
    os.replace(_temporary(path, data), path)


def _write_once(path: Path, data: bytes) -> None:
    # A link fails if somebody else was first; their key counts then. Where there are no links, replace.
    temporary = _temporary(path, data)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    except OSError:
        os.replace(temporary, path)
        return
    os.unlink(temporary)


def _temporary(path: Path, data: bytes) -> str:
    """A synced file with `data` beside `path`, mode 0600 from the start."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return name
