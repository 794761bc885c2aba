"""The server's counters as people read them: each stage of the pipeline with its rates.

Two readings of the counters and the seconds between them make the stages that `chat/pipeline.py` draws, for the
client's /models and for `chat-server --top`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chat.pipeline import Stage

Figures = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Between:
    """Two readings; a process that was replaced between them counts from zero."""

    before: Figures
    after: Figures
    seconds: float

    def now(self, name: str) -> int:
        return self.after.get(name, 0)

    def grown(self, name: str) -> int:
        change = self.now(name) - self.before.get(name, 0)
        return change if change >= 0 else self.now(name)

    def rate(self, name: str) -> str:
        return _short(self.grown(name) / self.seconds)

    def ratio(self, above: str, below: str, scale: float = 1.0) -> str:
        count = self.grown(below)
        return _short(scale * self.grown(above) / count) if count else "–"


def stages(before: Figures, after: Figures, seconds: float) -> list[Stage]:
    """The pipeline in the order in which a message takes it, and the announcer beside it."""
    between = _Between(before, after, max(seconds, 1e-3))
    workers = range(between.now("supervisor.workers"))
    return [
        _reader(between),
        _journal(between),
        _manager(between, workers),
        *(_worker(between, number) for number in workers),
        _announcer(between),
    ]


def _reader(between: _Between) -> Stage:
    phases = " ".join(f"{between.now(f'reader.{phase}')} {phase}" for phase in ("opened", "answered", "named"))
    facts = (
        (between.rate("reader.wakeups"), "wake-ups/s"),
        (between.ratio("reader.events", "reader.wakeups"), "events a wake-up"),
        (between.ratio("reader.reads", "reader.events"), "reads an edge"),
        (between.rate("reader.commands"), "commands/s"),
        (between.rate("reader.stalls"), "stalls/s"),
        (phases, "sessions"),
    )
    where = f"process {between.now('reader.pid')}"
    return Stage("reader", "epoll, edge-triggered; generator sessions", where, facts, "multiprocessing.Queue, bounded")


def _journal(between: _Between) -> Stage:
    facts = (
        (between.rate("journal.commits"), "commits/s"),
        (between.ratio("journal.events", "journal.commits"), "events a commit"),
        (between.ratio("journal.commit_ns", "journal.commits", 1e-6), "ms a commit"),
        (between.rate("journal.intake"), "intake/s"),
    )
    where = f"process {between.now('journal.pid')}"
    return Stage("journal", "Process; group commit, one fsync", where, facts, "pickled batches, over a Unix socket")


def _manager(between: _Between, workers: range) -> Stage:
    depths = [between.now(f"outlet {number}.put") - between.now(f"worker {number}.taken") for number in workers]
    facts = (
        (" ".join(str(max(0, depth)) for depth in depths), "waiting in its outlets"),
        (_short(sum(between.grown(f"worker {number}.taken") for number in workers) / between.seconds), "batches/s"),
    )
    where = f"process {between.now('supervisor.manager_pid')}"
    return Stage("manager", "Manager; an outlet for each worker", where, facts, "take, all that waits")


def _worker(between: _Between, number: int) -> Stage:
    worker, flusher = f"worker {number}", f"flusher {number}"
    sends = between.grown(f"{worker}.sends") + between.grown(f"{flusher}.sends")
    full = between.grown(f"{worker}.full_sockets") + between.grown(f"{flusher}.full_sockets")
    deliveries = between.grown(f"{worker}.deliveries")
    facts = (
        (str(between.now(f"{worker}.connections")), "connections"),
        (_short(deliveries / between.seconds), "deliveries/s"),
        (_short(deliveries / sends) if sends else "–", "messages a send"),
        (_short(full / between.seconds), "full sockets/s"),
        (between.rate(f"{flusher}.edges"), "flusher edges/s"),
        (str(between.now(f"{worker}.too_slow")), "too slow"),
    )
    where = f"process {between.now(f'{worker}.pid')}, flusher's thread {between.now(f'{flusher}.thread')}"
    last = number + 1 == between.now("supervisor.workers")
    return Stage(worker, "Pool worker", where, facts, "TCP, one send for many messages" if last else "")


def _announcer(between: _Between) -> Stage:
    facts = (
        (between.rate("announcer.sent"), "datagrams/s out"),
        (between.rate("announcer.came"), "in"),
        (between.rate("announcer.answered"), "probes answered/s"),
        (between.rate("announcer.noise"), "noise/s"),
    )
    thread = between.now("announcer.thread")
    where = f"process {between.now('reader.pid')}, {f'thread {thread}' if thread else 'off'}"
    return Stage("announcer", "thread with a UDP socket; beacons", where, facts)


def _short(value: float) -> str:
    """Three digits that matter: 0.25, 12.5, 1,234."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
