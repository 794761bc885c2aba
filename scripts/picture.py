"""A terminal's screen as a PNG: its cells, drawn in a monospaced font."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import pyte
from PIL import Image, ImageColor, ImageDraw, ImageFont

SIZE = 20
"""Height of the letters in pixels."""

MARGIN = 16
PAPER, INK = "#1b1d23", "#d7dae0"

COLOURS = {
    "black": "#1b1d23", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b", "blue": "#61afef",
    "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#c8ccd4", "brightblack": "#7f848e", "brightred": "#ff7a85",
    "brightgreen": "#b1dd8c", "brightbrown": "#ffd68a", "brightblue": "#7cc4ff", "brightmagenta": "#df90f5",
    "brightcyan": "#6fd3e0", "brightwhite": "#ffffff",
}  # fmt: skip
"""What a terminal makes of the sixteen named colours; the others say themselves which they are."""


def save(cells: list[list[pyte.screens.Char]], file: Path) -> None:
    """Write the cells as an image."""
    regular, bold = _font("DejaVuSansMono.ttf"), _font("DejaVuSansMono-Bold.ttf")
    width, height = round(regular.getlength("M")), round(SIZE * 1.3)
    columns = len(cells[0])
    image = Image.new("RGB", (columns * width + 2 * MARGIN, len(cells) * height + 2 * MARGIN), PAPER)
    drawing = ImageDraw.Draw(image)
    for row, line in enumerate(cells):
        for column, cell in enumerate(line):
            left, top = MARGIN + column * width, MARGIN + row * height
            ink, paper = _colour(cell.fg, INK), _colour(cell.bg, PAPER)
            if cell.reverse:
                ink, paper = paper, ink
            if paper != ImageColor.getrgb(PAPER):
                drawing.rectangle((left, top, left + width - 1, top + height - 1), fill=paper)
            if cell.data.strip():
                drawing.text((left, top), cell.data, fill=ink, font=bold if cell.bold else regular)
            if cell.underscore:
                drawing.line((left, top + height - 3, left + width - 1, top + height - 3), fill=ink)
    image.save(file, optimize=True)


def _font(name: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), SIZE)


def _colour(name: str, default: str) -> tuple[int, ...]:
    if name == "default":
        return ImageColor.getrgb(default)
    return ImageColor.getrgb(COLOURS.get(name, f"#{name}"))
