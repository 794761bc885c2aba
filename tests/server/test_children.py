"""What every process of the server has in common."""

from __future__ import annotations

import subprocess
import sys

from server.children import SPAWN

LIMITED = """
import resource
from server.children import raise_file_limit
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
raise_file_limit()
print(resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard))
"""


def test_children_are_spawned_whatever_the_default_is() -> None:
    assert SPAWN.get_start_method() == "spawn"


def test_the_limit_on_open_files_is_raised_as_far_as_it_goes() -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
