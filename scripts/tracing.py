"""`scripts/trace`: send traced messages from one client to another, and average where their time went."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from chat.messages import Join, Report, Reported, RoomState, Said, Say, Trail
from chat.trail import Step, bar, steps
from client.connection import Connection, new_label
from client.home import Home
from client.stamps import mark
from scripts.own_server import OwnServer

ROOM = "trace"

M = TypeVar("M")


def main() -> int:
    parser = argparse.ArgumentParser("scripts/trace", description="Where the time of a message goes, stage by stage.")
    parser.add_argument("--messages", type=int, default=1000, help="how many to trace (default: 1000)")
    chosen = parser.parse_args()
    with OwnServer() as server, tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        with (
            Connection.open(server.address, home=home, name="author") as author,
            Connection.open(server.address, home=home, name="reader") as reader,
        ):
            ways = trace(author, reader, chosen.messages)
    print(table(ways))
    return 0


def trace(author: Connection, reader: Connection, count: int) -> list[list[Step]]:
    """The ways of `count` messages, each sent when the one before has come back."""
    for connection in (author, reader):
        connection.send(Join(new_label(), ROOM))
        _await(connection, RoomState)
    threading.Thread(target=_report, args=(reader,), name="reader", daemon=True).start()
    ways: list[list[Step]] = []
    for _ in tqdm(range(count), unit="message", disable=not sys.stderr.isatty()):
        typed = mark("typed")
        author.send(Say(new_label(), ROOM, "Where have you been?", trace=True))
        sent = mark("sent")
        ways.append(steps((typed, sent, *_await(author, Reported).stamps)))
    return ways


def table(ways: list[list[Step]]) -> str:
    """Each place with the median and the 99th percentile of the microseconds to it, and the medians' waterfall."""
    took: dict[str, list[int]] = defaultdict(list)
    models = {step.place: step.model for step in ways[0]}
    for way in ways:
        for step in way:
            took[step.place].append(step.took)
    medians = {place: int(statistics.median(values)) for place, values in took.items()}
    whole = sum(medians.values())
    lines = [f"{'place':<22}{'runs on':<34}{'p50 µs':>8}{'p99 µs':>9}", ""]
    total = 0
    for place, values in took.items():
        total += medians[place]
        p99 = sorted(values)[int(len(values) * 0.99)]
        picture = bar(Step(place, "", medians[place], total), whole, 30).rstrip()
        lines.append(f"{place:<22}{models[place]:<34}{medians[place] / 1e3:>8,.0f}{p99 / 1e3:>9,.0f}  {picture}")
    totals = sorted(way[-1].total for way in ways)
    lines.append(
        f"{'all of it':<56}{statistics.median(totals) / 1e3:>8,.0f}{totals[int(len(totals) * 0.99)] / 1e3:>9,.0f}"
    )
    return "\n".join(lines)


def _report(reader: Connection) -> None:
    """Give each trail back, with the moment at which its message was received."""
    received: dict[str, int] = {}
    for message in reader:
        if isinstance(message, Said):
            received[message.label] = time.monotonic_ns()
        elif isinstance(message, Trail):
            stamps = (*message.stamps, mark("received", received.pop(message.label)))
            reader.send(Report(ROOM, message.author, message.label, stamps))


def _await(connection: Connection, kind: type[M]) -> M:
    for message in connection:
        if isinstance(message, kind):
            return message
    raise ConnectionError(connection.ended)


if __name__ == "__main__":
    sys.exit(main())
