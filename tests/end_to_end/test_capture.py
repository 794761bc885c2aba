"""The README's picture can be made again, from a real terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image


def test_the_picture_of_a_busy_room(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.captures", "screen", "--folder", str(tmp_path)]
    made = subprocess.run(command, capture_output=True, text=True, timeout=90)
    assert made.returncode == 0, made.stderr
    with Image.open(tmp_path / "screen.png") as picture:
        colours = picture.convert("RGB").getcolors(1 << 20)
    assert colours is not None and len(colours) > 100  # letters in the colours of names, smoothed: not an empty window
