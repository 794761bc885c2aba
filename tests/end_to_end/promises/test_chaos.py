"""Death of any process: scripts/chaos in a short form, every process killed and stopped under a checked load."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.waiting import UNIT

ROOT = Path(__file__).parents[3]


def test_every_process_killed_and_stopped_under_load_loses_nothing() -> None:
    command = [sys.executable, "-m", "scripts.siege.chaos", "--clients", "40", "--rooms", "4", "--rate", "80"]
    command += ["--kills", "5", "--stop-for", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100 * UNIT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("integrity_check ok, no fault\n")
    kills = re.search(r"kill -9: .*", done.stdout)
    stops = re.search(r"SIGSTOP for 1 s: .*", done.stdout)
    assert kills is not None and stops is not None
    for part in ("journal", "manager", "worker 0", "worker 1", "reader"):
        assert f"{part} 1" in stops[0] and re.search(rf"\b{part} [1-9]", kills[0]), done.stdout
    sent = re.search(r"stored (\d+), refused 0, unknown \d+; heard (\d+)", done.stdout)
    assert sent is not None and int(sent[2]) >= 10 * int(sent[1]) > 400
