"""The comparison as a picture: a line for each model, over the number of connections, through the rounds' medians."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no screen
from matplotlib import pyplot

from scripts.comparison.measuring import Figures, median

PANELS = {
    "deliveries_per_s": "deliveries/s, saturated",
    "p50_ms": "p50 ms at 10 messages/s",
    "memory_kb": "KB a connection",
}


def draw(results: dict[str, dict[int, list[Figures]]], machine: str, path: Path) -> None:
    """Write the picture to `path`."""
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(5 * len(PANELS), 5), layout="constrained")
    styles = [(colour, line) for line in ("-", "--") for colour in (f"C{number}" for number in range(8))]
    for axis, (column, title) in zip(axes, PANELS.items(), strict=True):
        for (model, row), (colour, line) in zip(results.items(), styles, strict=False):
            points = {size: median(runs, column) for size, runs in row.items()}
            shown = {size: value for size, value in points.items() if value}
            axis.plot(list(shown), list(shown.values()), line, color=colour, marker="o", markersize=3, label=model)
        axis.set(xlabel="connections", title=title)
        if any(points.get_xdata().size for points in axis.lines):  # an empty axis can't be logarithmic
            axis.set(xscale="log", yscale="log")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", fontsize=9)
    figure.supxlabel(machine, fontsize=8)
    figure.savefig(path, dpi=110)
