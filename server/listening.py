"""The listening socket, and the line that says where it is."""

from __future__ import annotations

import socket

from chat.secure import fingerprint, public_key
from server.failures import CannotServe

BACKLOG = 4096
"""Connections that the kernel may hold for us; it takes the least of this and net.core.somaxconn."""


class CannotListen(CannotServe):
    """The address can't be served; the sentence says why."""


def listen(host: str, port: int) -> socket.socket:
    """A non-blocking listener. Raises `CannotListen`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotListen(f"Can't listen on {host}:{port}: {reason}; choose others with --host and --port.") from None
    listener.setblocking(False)
    return listener


def first_line(listener: socket.socket, private_key: bytes) -> str:
    """What a server prints once it serves: where, and the key that it proves."""
    host, port = listener.getsockname()[:2]
    return f"listening on {host}:{port} key {fingerprint(public_key(private_key))}"
