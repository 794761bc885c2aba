"""Free threads: the threads' model again, on a Python without a GIL.

**What it is.** CPython can be built without its global lock (3.13 as an experiment, 3.14 in earnest; PEP 703): then
threads run Python on all cores at once. Nothing of server/models/threads.py has to change for it, because nothing in
there leant on the GIL: what is shared is under a lock, what isn't under the lock is one thread's own. What used to work
by luck, `count += 1` from two threads, loses counts now.

**What it costs.** Each object counts its references in a way that several cores can, so one thread alone is slower by
some per cent; and memory for it.

**Where it ends.** At the lock around the rooms, now that it is the only one. And at extension modules: one that doesn't
say it can do without the GIL switches it on again, for the whole process, when it is imported. So this is looked at
after all imports, and the server says so rather than serve under another model's name.
"""

from __future__ import annotations

import sys

from server.models import Lacking, threads

serve = threads.serve


def check() -> None:
    """Raise `Lacking` unless this process runs without a GIL."""
    if getattr(sys, "_is_gil_enabled", lambda: True)():
        raise Lacking("this Python has a GIL, or an extension module has switched it on; use a free-threaded build.")
