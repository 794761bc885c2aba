"""The benchmark behind `scripts/bench`: servers to measure, a load that costs little, and a report."""
