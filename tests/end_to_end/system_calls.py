"""What a running server asks of the kernel, as strace(1) sees it, in the order in which it happened.

strace stops a process at the beginning and at the end of each call, and writes both down before it goes on; so a
call that began after another's end in this record did so in truth, whichever processes the two are of.
"""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from tests.waiting import UNIT, wait_for

_WHOLE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)")
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>")
_ENDED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)")


@dataclass(frozen=True, slots=True)
class Call:
    """One system call. `begun` and `ended` are lines of the record: they compare across processes."""

    process: int
    name: str
    arguments: str
    result: int
    begun: int
    ended: int

    @property
    def on_tcp(self) -> bool:
        """Whether its first descriptor that has a name is a TCP connection."""
        return "<TCP:[" in self.arguments or "<TCPv6:[" in self.arguments


class Record:
    """`calls` is there once the block is left."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def named(self, *names: str) -> list[Call]:
        return [call for call in self.calls if call.name in names]


@contextmanager
def recorded(processes: list[psutil.Process], calls: list[str], file: Path) -> Iterator[Record]:
    """Record these calls of these processes, threads included, while the block runs."""
    record = Record()
    which = [option for process in processes for option in ("-p", str(process.pid))]
    command = ["strace", "-f", "-yy", "-s", "0", "-e", f"trace={','.join(calls)}", "-e", "signal=none", "-o", str(file)]
    strace = subprocess.Popen([*command, *which], stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: all(map(_is_traced, processes)), "strace is attached to every thread")
        yield record
        process_of = {thread: process.pid for process in processes for thread in _threads(process)}
    finally:
        strace.send_signal(signal.SIGINT)
        strace.communicate(timeout=10 * UNIT)
    calls = _parse(file.read_text().splitlines())
    record.calls = [replace(call, process=process_of[call.process]) for call in calls if call.process in process_of]


def _threads(process: psutil.Process) -> list[int]:
    return [int(path.name) for path in Path(f"/proc/{process.pid}/task").iterdir()]


def _is_traced(process: psutil.Process) -> bool:
    statuses = [Path(f"/proc/{thread}/status").read_text() for thread in _threads(process)]
    return not any("TracerPid:\t0\n" in status for status in statuses)


def _parse(lines: list[str]) -> list[Call]:
    """The calls in a record, in the order in which they began, each with its thread's number as the process."""
    calls: list[Call] = []
    begun: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        if match := _WHOLE.match(line):
            thread, name, arguments, result = match.groups()
            calls.append(Call(int(thread), name, arguments, int(result), number, number))
        elif match := _BEGUN.match(line):
            begun[match[1]] = (number, match[3])
        elif (match := _ENDED.match(line)) and match[1] in begun:
            start, arguments = begun.pop(match[1])
            calls.append(Call(int(match[1]), match[2], arguments + match[3], int(match[4]), start, number))
    return sorted(calls, key=lambda call: call.begun)
