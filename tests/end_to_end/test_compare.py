"""scripts/compare measures real servers: its quick form, on a model of each sort."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_quick_form_fills_table_plot_and_json(tmp_path: Path) -> None:
    models = ["pipeline", "blocking", "threads", "epoll-et"]
    command = [sys.executable, "-m", "scripts.comparison", "--quick", "--models", *models]
    command += ["--json", str(tmp_path / "all.json"), "--plot", str(tmp_path / "all.png")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    for model in ("pipeline", "threads", "epoll-et"):
        assert f"| {model} |" in done.stdout
    assert "| blocking | 5 | one client at a time" in done.stdout
    everything = json.loads((tmp_path / "all.json").read_text())
    assert everything["results"]["threads"]["5"][0]["deliveries_per_s"] > 1_000
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG")
