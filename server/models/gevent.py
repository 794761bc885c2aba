"""gevent: the threads' own code, word for word, and nothing under it is as it was.

**What it is.** `patch_all` puts gevent's versions in the place of `socket`, `threading`, `select`, `time` and more,
before anybody takes a name from them. Now a "thread" is a greenlet, a stack of Python's that can be set aside; a `recv`
that would wait gives the turn to the hub, a loop around libev, which goes on with whoever can. server/models/threads.py
runs as it stands and has no idea.

**What it costs.** A greenlet is some kilobytes and a switch some hundred nanoseconds, no kernel involved: ten times
the threads' number at a fraction of their price. What is paid instead is attention. Patching has to come first, in
this process and in no other: that is why this module is imported before the rest of the server is. And the turn
passes only where something would wait, so a computation, or a C library that waits by itself, stops everybody: the
blocked hub.

**Where it ends.** At one core; and at the first library whose waiting gevent can't see. Such a call looks like any
other, and so does a lock that was made before the patch: it blocks the whole process.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

from server.models.threads import serve  # noqa: E402  the patch comes first, and that is the whole model

__all__ = ["serve"]
