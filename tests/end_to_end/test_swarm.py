"""scripts/swarm.py in a short form: real clients in greenlets, and figures that say when something is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.end_to_end.server_process import ServerProcess
from tests.waiting import UNIT

SWARM = Path(__file__).parents[2] / "scripts" / "swarm.py"


def swarm(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SWARM), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=100 * UNIT, check=False)


def test_a_swarm_gets_every_message_once_and_in_order() -> None:
    done = swarm("--clients", "120", "--rooms", "6", "--messages", "1200")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "120 clients in 6 rooms, 1200 messages, 24000 deliveries\n" in done.stdout
    assert "lost 0, doubled 0, out of order 0, refused 0, connections dropped 0\n" in done.stdout


def test_a_swarm_that_is_refused_says_so_and_fails(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", "--rate", "2") as server:
        done = swarm("--clients", "2", "--rooms", "1", "--messages", "40", "--server", server.where)
    assert done.returncode == 1
    assert "refused 0" not in done.stdout and "lost 0" not in done.stdout
