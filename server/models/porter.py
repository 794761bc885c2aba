"""The porter: carries bytes between sockets and queues in an interpreter of its own. Imports nothing but what every
interpreter can have at once: no cipher, no msgpack, none of the server's other modules."""

from __future__ import annotations

import os
import queue
import select
import socket
from typing import Any

READ_SIZE = 65_536


def carry(orders: Any, answers: Any, bell: int, main_bell: int) -> None:
    """Work until the order is None. Runs in a thread of an interpreter that was made for it.

    `orders` brings (line's number, its descriptor) for a new socket and (number, bytes) to be sent; `answers` takes
    (number, bytes) that came, (number, None) when all that was to be sent is, and (number, b"") at the end, after
    which the descriptor isn't touched again. Each queue has a bell, a pipe to wait at: a queue between interpreters
    has none of its own.
    """
    porter = _Porter(answers)
    epoll = porter.epoll
    epoll.register(bell, select.EPOLLIN)
    while True:
        for fileno, event in epoll.poll():
            if fileno == bell:
                os.read(bell, 4096)
                if not porter.take(orders):
                    return
            elif fileno in porter.number_of:
                porter.meet(fileno, event)
        ring(main_bell)


def ring(bell: int) -> None:
    """Wake whoever waits at the pipe. A full one has enough in it to wake anybody."""
    try:
        os.write(bell, b"!")
    except BlockingIOError:
        pass


class _Porter:
    """The sockets in this interpreter's care: none of them is its own, so none is closed here."""

    def __init__(self, answers: Any) -> None:
        self.epoll = select.epoll()
        self.number_of: dict[int, int] = {}
        self._answers = answers
        self._sockets: dict[int, socket.socket] = {}
        self._unsent: dict[int, memoryview] = {}

    def take(self, orders: Any) -> bool:
        """Carry out all orders there are; False if the last one has come."""
        while True:
            try:
                order = orders.get_nowait()
            except queue.Empty:
                return True
            if order is None:
                for sock in self._sockets.values():
                    sock.detach()
                return False
            number, what = order
            if isinstance(what, int):
                self._sockets[number] = socket.socket(fileno=what)
                self._sockets[number].setblocking(False)
                self.number_of[what] = number
                self.epoll.register(what, select.EPOLLIN)
            elif number in self._sockets:
                self._unsent[number] = memoryview(what)
                self._send(number)

    def meet(self, fileno: int, event: int) -> None:
        """A socket is ready: send on, and read."""
        number = self.number_of[fileno]
        if number in self._unsent and event & select.EPOLLOUT:
            self._send(number)
        if event & ~select.EPOLLOUT:
            try:
                data = self._sockets[number].recv(READ_SIZE)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.epoll.unregister(fileno)
                self._sockets.pop(number).detach()
                self._unsent.pop(number, None)
                del self.number_of[fileno]
            self._answers.put((number, data))

    def _send(self, number: int) -> None:
        sock = self._sockets[number]
        try:
            self._unsent[number] = self._unsent[number][sock.send(self._unsent[number]) :]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent[number] = memoryview(b"")  # its end is about to be read
        if self._unsent[number]:
            self.epoll.modify(sock, select.EPOLLIN | select.EPOLLOUT)
        else:
            del self._unsent[number]
            self.epoll.modify(sock, select.EPOLLIN)
            self._answers.put((number, None))
