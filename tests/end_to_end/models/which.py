"""Which models this Python can run: the others are held to saying so."""

from __future__ import annotations

from server import models
from server.cli import PIPELINE


def _lacking(name: str) -> bool:
    if name == "gevent":
        return False  # loading it would patch this process
    try:
        getattr(models.load(name), "check", lambda: None)()
    except models.Lacking:
        return True
    return False


LACKING = [name for name in models.NAMES if _lacking(name)]
EVERY = [PIPELINE, *(name for name in models.NAMES if name not in LACKING)]
TOGETHER = [name for name in EVERY if name != "blocking"]
"""Those that serve several clients at once."""
