"""What every process of the server has in common: how it is started, what it ignores, and when it must end.

`SPAWN` is the one start method here, chosen once, whatever the Python's default: a fork would copy the reader's
sockets, its epoll and the state of its locks into the child, and a Pool forks again whenever it replaces a worker,
long after the threads have started.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import multiprocessing.connection
import os
import resource
import signal
import sys
import threading

SPAWN = multiprocessing.get_context("spawn")

log = logging.getLogger("chat-server")


def settle(role: str) -> None:
    """The first call in every child: from here on it behaves as a part of the server.

    Ctrl-C in a terminal reaches the whole process group; only the main process acts on it, and ends the children
    in their order. A child outlives the main process by no more than the moment that its sentinel takes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    multiprocessing.current_process().name = role
    start_logging()
    raise_file_limit()
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()


def start_logging() -> None:
    """Log to stderr, each line with the process that wrote it."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(processName)s %(levelname)s %(message)s"
    )


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us: the soft limit is often 1,024, a connection needs one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def spare_the_collector() -> None:
    """Tell the garbage collector that what is there now stays: the modules, 44,000 objects, which each full collection
    would go through again, 8 ms in which this process does nothing else. To be called when all is imported."""
    gc.collect()
    gc.freeze()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)  # whatever this process was doing, nobody is left to do it for
