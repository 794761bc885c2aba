"""The results as a picture: a bar for each server, with the spread of its runs."""

from __future__ import annotations

import statistics
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no screen
from matplotlib import pyplot

PANELS = {
    "deliveries_per_s": "saturated: deliveries/s\n(more is better)",
    "paced_us": "paced: CPU µs a delivery\n(less is better)",
    "p50_ms": "latency p50, ms\n(less is better)",
}


def draw(results: dict[str, dict[str, list[float]]], machine: str, path: Path) -> None:
    """Write the picture to `path`."""
    names = list(results)
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(4 * len(PANELS), 3.6), layout="constrained")
    for axis, (column, title) in zip(axes, PANELS.items(), strict=True):
        values = [results[name][column] for name in names]
        middles = [statistics.median(runs) for runs in values]
        low = [middle - min(runs) for middle, runs in zip(middles, values, strict=True)]
        high = [max(runs) - middle for middle, runs in zip(middles, values, strict=True)]
        colours = ["tab:orange" if name == "chat" else "tab:grey" for name in names]
        axis.bar(names, middles, yerr=(low, high), color=colours, capsize=4)
        axis.set_title(title, fontsize=10)
    figure.supxlabel(machine, fontsize=8)
    figure.savefig(path, dpi=120)
