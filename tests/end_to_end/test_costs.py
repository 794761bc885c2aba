"""scripts/costs measures every primitive: its quick form."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scripts.costing.handing_over import HANDING_OVER
from scripts.costing.starting import STARTING

ROOT = Path(__file__).parents[2]


def test_the_quick_form_has_a_line_for_each() -> None:
    command = [sys.executable, "-m", "scripts.costing", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    lines = dict(line.strip("| ").split(" | ", 1) for line in done.stdout.splitlines() if line.startswith("| "))
    assert lines.keys() >= HANDING_OVER.keys() | STARTING.keys()
    assert all(float(lines[name].replace(",", "")) > 0 for name in HANDING_OVER)
    assert float(lines["a function call"]) < float(lines["multiprocessing queues"])
