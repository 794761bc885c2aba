"""One connection after the other: `redial` is a lasting link for those who can wait in a plain loop."""

from __future__ import annotations

import time
from collections.abc import Iterator

from client.backoff import delays
from client.config import Address, Options
from client.connection import Connection
from client.failures import Refused, Unreachable
from client.finder import follow
from client.home import Home

PASSING = frozenset({"stopping", "silent", "too_slow", "too_fast", "storage_full", "too_many_connections"})
"""Codes of a goodbye or a refused login that a later attempt may not meet."""

STEADY = 10.0
"""Seconds that a connection must last for the next attempt to come at once again."""


def redial(options: Options, home: Home, address: Address, patience: float | None) -> Iterator[Connection]:
    """Yields a logged-in connection; ask for the next one when it has ended.

    The first attempt's failure is raised at once. Afterwards a server that doesn't answer is tried again for
    `patience` seconds (None: for ever), with growing pauses; any other failure is raised. A server that wasn't named
    by its address is followed to wherever it proves its key.
    """
    passphrase = options.passphrase()
    assert options.name is not None
    pauses = delays()
    connection: Connection | None = None
    lost = time.monotonic()
    while True:
        if connection is not None and options.server is None:
            address = follow(options, home, connection.server_key) or address
        try:
            connection = Connection.open(address, home=home, name=options.name, passphrase=passphrase)
        except (Unreachable, Refused) as failure:
            too_late = patience is not None and time.monotonic() - lost > patience
            if connection is None or too_late or not _may_pass(failure):
                raise
        else:
            began = time.monotonic()
            with connection:
                yield connection
            _raise_farewell(connection)
            lost = time.monotonic()
            if lost - began > STEADY:
                pauses = delays()
        time.sleep(next(pauses))


def _may_pass(failure: Unreachable | Refused) -> bool:
    return isinstance(failure, Unreachable) or failure.code in PASSING


def _raise_farewell(connection: Connection) -> None:
    goodbye = connection.goodbye
    if goodbye is not None and goodbye.code not in PASSING:
        raise Refused(goodbye.code, goodbye.sentence)
