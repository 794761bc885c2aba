"""The same server under other concurrency models: `chat-server --model NAME`.

What is said, what is allowed and who gets it is the same everywhere, and stands elsewhere, free of I/O:

- the *session* (server/session.py) makes actions of one client's frames; a *line* (line.py) is one connection
  around it: bytes in, intake out; letters in, bytes out;
- the *rooms* (rooms.py) make *mail* of intake: the same clerk as the pipeline's journal, over a store in memory;
- the *exchange* (exchange.py) is the rooms with all their lines: intake in, the lines that now have something to
  write out.

A model is what is left: who waits where, and how two that wait get at the same rooms. It is one module with one
function, `serve(door, terms)`: accept clients at the door (door.py), move bytes between sockets and lines, and
call `exchange.work` with what came. It ends with `Closed`, which the door raises once the server is to end. A
model that not every Python can run has a `check()` besides, which raises `Lacking`.

Two sets of I/O steps are shared, since models differ in who calls them, not in what they do: wire.py for those that
never block, straight.py for those that do. Models with their lines in other processes share branch.py, and those that
set tasks aside waits.py.

In memory: these servers keep messages until they end, and no longer. Only the pipeline keeps the promises.
"""

from __future__ import annotations

import importlib
from types import ModuleType

NAMES = (
    "blocking", "nonblocking", "threads", "select", "epoll-lt", "epoll-et",
    "generators", "greenlets", "gevent", "asyncio", "processes", "pool",
    "subinterpreters", "free-threads",
)  # fmt: skip
"""The models besides the pipeline, the simplest first."""


class Lacking(Exception):
    """This Python can't run the model; the sentence says which one could."""


def load(name: str) -> ModuleType:
    """The module of a model; its `serve` is what `running.run` wants."""
    return importlib.import_module("server.models." + name.replace("-", "_"))
