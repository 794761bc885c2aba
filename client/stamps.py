"""The client's stamps on a traced message. Portable: not every system tells one start of the machine from another."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from chat.values import Stamp


def mark(place: str, ns: int = 0) -> Stamp:
    """The stamp of `place` at `ns`, or now, on this machine's monotonic clock."""
    return Stamp(place, ns or time.monotonic_ns(), CLOCK)


def _clock() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:32]
    except OSError:
        return f"{uuid.getnode():x}"


CLOCK = _clock()
"""What names the clock: the server's stamps have the same name if it runs on this machine under Linux."""
