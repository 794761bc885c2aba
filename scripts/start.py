"""Open a client in the lobby of a server on this machine, starting that server if none runs; the last one ends it.

Who uses the server is known to the kernel, not to a counter in a file: each client holds a shared `flock` and the
server an exclusive one, which vanish with their processes however these end. Only who gets the clients' lock for
itself alone was the last.
"""

from __future__ import annotations

import argparse
import fcntl
import getpass
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import platformdirs

FOLDER = Path(platformdirs.user_data_dir("lan-chat-start", appauthor=False))
START_LIMIT = 20.0
LOOPBACK = ("--host", "127.0.0.1", "--no-beacon")


def main() -> int:
    options, others = parse()
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.setdefault("TERM", "xterm-256color")
    signal.signal(signal.SIGINT, lambda *_: None)  # it is the client's, which gets it too
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with (FOLDER / "clients.lock").open("w") as clients:
        with turn():
            fcntl.flock(clients, fcntl.LOCK_SH)
            address = ensure_server(options.lan)
        client = ["--name", options.name, "--server", address.replace("0.0.0.0", "127.0.0.1"), *others]
        try:
            return subprocess.call([sys.executable, "-m", "client", *client])
        finally:
            with turn():
                end_server_if_last(clients)


def parse() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser("scripts/start", description=__doc__, allow_abbrev=False)
    parser.add_argument("--name", default=getpass.getuser(), help="your name (default: your login name)")
    parser.add_argument("--lan", action="store_true", help="serve the whole network, not this machine alone")
    return parser.parse_known_args()  # the rest is chat-client's


@contextmanager
def turn() -> Iterator[None]:
    """Only one at a time decides whether there is a server."""
    with (FOLDER / "turn.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ensure_server(lan: bool) -> str:
    """The address that the server listens on; it is started if none runs."""
    with (FOLDER / "server.lock").open("w") as lock:
        if not try_lock(lock):
            address = (FOLDER / "address").read_text()
            if lan and address.startswith("127."):
                sys.exit("The server that runs serves this machine alone; close its clients first.")
            return address
        listen = () if lan else LOOPBACK
        # The same port as last time keeps what clients remember of this server true; another one serves as well.
        for port in dict.fromkeys((last_port(), "0")):
            address = launch([*listen, "--port", port], lock)
            if address:
                (FOLDER / "address").write_text(address)
                return address
    sys.exit(f"The server didn't start; {FOLDER / 'server.log'} says why.")


def launch(options: list[str], lock: IO[str]) -> str:
    """Start a server that holds `lock`; its address once it serves, or nothing if it ended instead."""
    log = FOLDER / "server.log"
    said = FOLDER / "server.out"
    with log.open("ab") as errors, said.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "server", "--data", str(FOLDER / "server"), *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            pass_fds=(lock.fileno(),),
            start_new_session=True,  # Ctrl-C in this terminal is not meant for it
        )
    deadline = time.monotonic() + START_LIMIT
    while server.poll() is None and time.monotonic() < deadline:
        words = said.read_text().split()
        if words[:2] == ["listening", "on"] and len(words) == 5:
            (FOLDER / "pid").write_text(str(server.pid))
            return words[2]
        time.sleep(0.02)
    server.kill()
    return ""


def last_port() -> str:
    try:
        return (FOLDER / "address").read_text().rpartition(":")[2]
    except FileNotFoundError:
        return "5050"


def end_server_if_last(clients: IO[str]) -> None:
    if not try_lock(clients):
        return
    with (FOLDER / "server.lock").open("w") as lock:
        if try_lock(lock):
            return  # it ended before us
        os.kill(int((FOLDER / "pid").read_text()), signal.SIGTERM)
        fcntl.flock(lock, fcntl.LOCK_EX)


def try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
