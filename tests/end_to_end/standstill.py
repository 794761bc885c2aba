"""A process brought to a standstill inside one of its system calls, by strace(1): nothing in it knows of tests."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import UNIT, wait_for

BEFORE = "delay_enter=600000000"
"""Stand before the kernel does what the call asks for; microseconds."""
AFTER = "delay_exit=600000000"
"""Stand when the kernel has done it, and the process doesn't know yet."""

LOOKS = 20


@contextmanager
def tampering(pid: int, call: str, how: str) -> Iterator[subprocess.Popen[str]]:
    """Change what `call` does in a process, as strace's `inject` says it, while the block runs."""
    command = ["strace", "-f", "-p", str(pid), "-e", f"trace={call}", "-e", f"inject={call}:{how}", "-o", "/dev/null"]
    strace = subprocess.Popen(command, stderr=subprocess.DEVNULL, text=True)
    try:
        wait_for(lambda: _tracer(pid) == strace.pid, "strace is attached")
        yield strace
    finally:
        strace.send_signal(signal.SIGINT)
        strace.wait(10 * UNIT)


def stands_still(pid: int) -> bool:
    """Whether the main thread is found stopped, by a signal or a tracer, however often one looks."""
    return all(_state(pid) in "tT" for _ in range(LOOKS * 100))


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


def _tracer(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("TracerPid:")[2].split()[0])
