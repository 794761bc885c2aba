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
from client.filelock import locked

FRESH = 60.0
"""Seconds within which the time at which a server was last used needn't be written again."""


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
        try:
            if not path.exists():
                _write_once(path, new_private_key())
            key = path.read_bytes()
        except OSError as error:
            raise Failure(f"Can't read or make {path}: {error.strerror}; mend its permissions.") from error
        if len(key) != 32:
            raise Failure(f"{path} isn't a key; move it away to get a new one (your names stay with the old).")
        return key

    def known_servers(self) -> dict[str, KnownServer]:
        """The servers met so far, by `HOST:PORT`."""
        path = self.folder / "known_servers"
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
            return {
                address: {
                    "key": bytes.fromhex(entry["key"]).hex(),
                    "name": str(entry.get("name", "")),
                    "last_used": float(entry.get("last_used", 0.0)),
                }
                for address, entry in entries.items()
            }
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise Failure(f"Can't read {path}: {error.strerror}; mend its permissions.") from error
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Failure(f"{path} is damaged; mend it or move it away (it keeps the servers' keys).") from None

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
        """Keep the key of a server that one is logged in to. Any number of clients may do so at once.

        Raises `KeyChanged` if another client has met another key there in the meantime.
        """
        servers = self.known_servers()
        known = servers.get(address)
        newest = max((server["last_used"] for server in servers.values()), default=0.0)
        if known == {"key": key.hex(), "name": name, "last_used": newest} and _is_fresh(newest):
            return  # nothing to write: a script that sends a line each second needn't cost a sync each time
        try:
            with locked(self.folder / ".known_servers.lock"):
                self.check_server(address, key)
                servers = self.known_servers()
                servers[address] = {"key": key.hex(), "name": name, "last_used": time.time()}
                write(self.folder / "known_servers", json.dumps(servers, indent=1).encode())
        except OSError as error:
            raise Failure(f"Can't write to {self.folder}: {error.strerror}; the server's key isn't kept.") from error


def _is_fresh(last_used: float) -> bool:
    return abs(time.time() - last_used) < FRESH


def write(path: Path, data: bytes) -> None:
    """Put `data` in place of what is at `path`, wholly or not at all."""
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
