"""`--metrics PORT`: the same figures for Prometheus, through its client library, on loopback only.

The library's HTTP server is a thread of the main process; it reads shared memory when it is asked, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.gauges import Gauges

_NAME = re.compile(r"(?P<process>[a-z]+)(?: (?P<number>\d+))?\.(?P<field>\w+)")


class _Figures(Collector):
    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        for name, value in self._gauges.read().items():
            parts = _NAME.fullmatch(name)
            assert parts is not None, name
            metric = f"chat_{parts['process']}_{parts['field']}"
            family = families.get(metric)
            if family is None:
                family = families[metric] = GaugeMetricFamily(metric, f"{parts['field']} of the {parts['process']}",
                                                              labels=["number"])  # fmt: skip
            family.add_metric([parts["number"] or ""], value)
        yield from families.values()


def serve(gauges: Gauges, port: int) -> None:
    """Answer `http://127.0.0.1:PORT/metrics` from a daemon thread. Raises OSError if the port is taken."""
    registry = CollectorRegistry()
    registry.register(_Figures(gauges))
    start_http_server(port, addr="127.0.0.1", registry=registry)
