"""Property-based tests draw new inputs at each run, and the same ones where a change is judged.

No test looks for servers beyond loopback: every client here, and every one that a test starts, is told so. Only
simulated networks (tests/end_to_end/test_lan.py) lift that, within their own namespaces.
"""

import os
import signal
import socket

import pytest
from hypothesis import settings

settings.register_profile("chat", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("chat")

os.environ["CHAT_DISCOVERY"] = "loopback"

# A shell without job control starts what runs in the background with SIGINT ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def beacon_port() -> int:
    """A UDP port that nobody uses, so that servers of other tests aren't found."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port
