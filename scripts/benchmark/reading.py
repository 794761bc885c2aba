"""The reader alone: how many commands one core decrypts, checks and makes ready for the journal's queue."""

from __future__ import annotations

import functools
import multiprocessing
import pickle
import socket
import time

from chat.secure import new_private_key
from scripts.benchmark.members import ChatMember, text_of
from scripts.benchmark.workloads import Size
from server.admission import Admission
from server.gate import Gate
from server.gauges import READER, Panel
from server.parcels import Intake
from server.reader import Reader
from server.roster import Roster
from server.session import Session

TALKERS = 16


class Counter:
    """Stands behind the reader: pickles each turn, as the queue's feeder thread would, and stops after `count`."""

    def __init__(self, reader: Reader, count: int) -> None:
        self._reader, self._count = reader, count
        self._begun = self._seen = self._first = 0.0

    def hand_over(self, connection: int, fileno: int) -> bool:
        return True

    def submit(self, turn: list[Intake]) -> bool:
        pickle.dumps(turn)
        self._seen += len(turn)
        if not self._begun and self._seen > self._count / 10:  # all talk by now
            self._begun, self._first = time.thread_time(), self._seen
        if self._seen >= self._count:
            self._reader.stop()
        return True

    @property
    def rate(self) -> float:
        """Commands for each second of CPU."""
        return (self._seen - self._first) / (time.thread_time() - self._begun)


def commands(name: str, size: Size) -> dict[str, float]:
    """Commands of 100 bytes, each in a frame of its own, as fast as they come from 16 connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        panel = Panel(memoryview(bytearray(8 * len(READER))).cast("q"), READER, 0)
        new_session = functools.partial(_session, new_private_key())
        reader = Reader(listener, new_session, Admission(0), Roster(), panel)
        port = listener.getsockname()[1]
        talkers = multiprocessing.get_context("spawn").Process(target=talk, args=(port, size.commands))
        talkers.start()
        counter = Counter(reader, size.commands)
        reader.run(counter)
        rate = counter.rate
        reader.close()
        talkers.join()
    return {"commands read: for each second of CPU": rate}


def talk(port: int, count: int) -> None:
    """Have 16 members send `count` messages and some more. In a process of its own."""
    members = [ChatMember(port, number) for number in range(TALKERS)]
    for member in members:
        for _, _ in zip(range(2), member.enter(), strict=False):
            pass  # up to the login; nobody answers it here
    each = count // TALKERS + 100
    said = [b"".join(member.message(text_of(n, n)) for n in range(each)) for member in members]
    try:
        for start in range(0, len(said[0]), 65_536):
            for member, stream in zip(members, said, strict=True):
                member.sock.sendall(stream[start : start + 65_536])
    except OSError:
        pass  # the reader has enough


def _session(private_key: bytes) -> Session:
    return Session(private_key, None, Gate(0))
