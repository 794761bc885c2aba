"""Property-based tests draw new inputs at each run, and the same ones where a change is judged."""

import os

from hypothesis import settings

settings.register_profile("chat", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("chat")
