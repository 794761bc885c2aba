"""What the kernel says about readiness, and what it doesn't. Each test shows the pitfall; CONCURRENCY.md tells it."""

from __future__ import annotations

import os
import resource
import select
import socket

import pytest

READ_EDGE = select.EPOLLIN | select.EPOLLET


def test_a_level_is_told_as_long_as_it_lasts_and_an_edge_once() -> None:
    here, there = socket.socketpair()
    with here, there, select.epoll() as level, select.epoll() as edge:
        level.register(there, select.EPOLLIN)
        edge.register(there, READ_EDGE)
        here.sendall(b"ab")
        assert level.poll(0) and edge.poll(0)
        assert there.recv(1) == b"a"  # and not up to EAGAIN
        assert level.poll(0)
        assert not edge.poll(0), "the lost edge: a byte waits, and nobody will ever be told"
        here.sendall(b"c")
        assert edge.poll(0), "until something new comes"


def test_many_changes_are_one_edge() -> None:
    here, there = socket.socketpair()
    with here, there, select.epoll() as edge:
        edge.register(there, READ_EDGE | select.EPOLLRDHUP)
        here.sendall(b"data")
        here.close()
        ((_, event),) = edge.poll(0)
        assert event & select.EPOLLIN and event & select.EPOLLRDHUP
        assert there.recv(100) == b"data"  # whoever acts on the hang-up first loses this


def test_one_edge_for_two_clients_at_the_door() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, select.epoll() as edge:
        edge.register(listener, READ_EDGE)
        listener.setblocking(False)
        clients = [socket.create_connection(listener.getsockname()) for _ in range(2)]
        assert len(edge.poll(1)) == 1
        listener.accept()[0].close()
        assert not edge.poll(0)  # the second is connected and waits for ever …
        listener.accept()[0].close()  # … unless accepting goes on until nobody is left
        with pytest.raises(BlockingIOError):
            listener.accept()
        for client in clients:
            client.close()


def test_a_socket_has_room_nearly_always() -> None:
    here, there = socket.socketpair()
    with here, there, select.epoll() as level, select.epoll() as edge:
        level.register(here, select.EPOLLOUT)
        edge.register(here, select.EPOLLOUT | select.EPOLLET)
        assert [bool(level.poll(0)) for _ in range(3)] == [True, True, True]  # a loop that never sleeps
        assert [bool(edge.poll(0)) for _ in range(3)] == [True, False, False]


def test_a_descriptor_outlives_its_close() -> None:
    here, there = socket.socketpair()
    number = there.fileno()
    copy = os.dup(number)  # as a worker that was sent the connection has one
    with here, select.epoll() as epoll:
        epoll.register(there, select.EPOLLIN)
        there.close()
        here.sendall(b"x")
        assert epoll.poll(0) == [(number, select.EPOLLIN)], "closed here, and still reported"
        with pytest.raises(OSError):
            epoll.unregister(number)  # and it can't be taken out any more
        newcomer = socket.socket()
        assert newcomer.fileno() == number, "the same number is already another's"
        newcomer.close()
        os.close(copy)
        assert epoll.poll(0) == []  # with the last copy it goes by itself


def test_shutdown_ends_a_connection_whoever_has_copies_of_it() -> None:
    here, there = socket.socketpair()
    with here, socket.socket(fileno=os.dup(there.fileno())):
        here.setblocking(False)
        there.close()
        with pytest.raises(BlockingIOError):
            here.recv(1)  # not over: the copy holds it
    here, there = socket.socketpair()
    with here, there, socket.socket(fileno=os.dup(there.fileno())):
        there.shutdown(socket.SHUT_RDWR)
        assert here.recv(1) == b""


def test_select_ends_at_1024() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    here, there = socket.socketpair()
    high = os.dup2(there.fileno(), 2000)
    try:
        with pytest.raises(ValueError, match="out of range"):
            select.select([high], [], [], 0)
        poll = select.poll()
        poll.register(high, select.POLLIN)
        assert poll.poll(0) == []  # a list instead of a set of bits has no such end
    finally:
        os.close(high)
        here.close()
        there.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_ready_is_a_hint_and_not_a_promise() -> None:
    """Between the answer and the call another thread or process may have taken what was there: the herd at one door."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        assert select.select([listener], [], [], 1)[0]
        listener.accept()[0].close()  # somebody else was faster
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):  # a blocking one would now stop the whole loop
            listener.accept()
