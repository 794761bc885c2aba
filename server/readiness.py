"""Readiness: tells systemd when the server serves and when it stops (sd_notify(3)). Elsewhere it does nothing."""

from __future__ import annotations

import os
import socket

READY = "READY=1"
STOPPING = "STOPPING=1"


def notify(state: str) -> None:
    """Send `state` to whoever supervises this process, if somebody does: one datagram to a Unix socket."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # a name in the kernel's abstract namespace, not a path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        try:
            sock.sendto(state.encode(), address)
        except OSError:
            pass  # nobody listens there any more: serving matters more
