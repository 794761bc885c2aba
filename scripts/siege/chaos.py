"""`scripts/chaos`: kill -9 and SIGSTOP for every process of a server under load, and a checker on every stream.

Two hundred clients in ten rooms talk; one process after the other is killed at a random moment, a fifth of the time
another one while the service is just coming back. A main process that has died is started again after 100 ms, as
scripts/chat-server.service has systemd do it. Then each process is stopped for a while, as a debugger or a laptop's
lid does, and at last the server is told to end in the middle of it all. The run is well if the checker finds no fault.
"""

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402
import itertools  # noqa: E402
import random  # noqa: E402
import sqlite3  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
import psutil  # noqa: E402
from tqdm import tqdm  # noqa: E402

from scripts.no_home import NoHome  # noqa: E402
from scripts.own_server import DidNotStart, OwnServer  # noqa: E402
from scripts.siege.checker import Checker  # noqa: E402
from scripts.siege.member import Member  # noqa: E402
from scripts.siege.report import ORPHANS_WITHIN, Record, summary  # noqa: E402

RESTART_AFTER = 0.1
"""Seconds until a dead main process is started again: the unit file's RestartSec."""

TOO_LONG = 60.0
"""Seconds after which what is waited for counts as never coming."""

SECOND_BLOWS = 0.2
"""Share of the kills that come while the service recovers from another."""


class Chaos:
    """The run. `members` are greenlets, and so is whoever watches the main process."""

    def __init__(self, server: OwnServer, clients: int, rooms: int, rate: float) -> None:
        self.record = Record()
        self.checker = Checker()
        self._server = server
        self._served_at = 0.0
        self._struck_at = 0.0
        self._stopping = False
        home = NoHome()
        self.members = [
            Member(f"c{number}", f"room{number % rooms}", home, self.checker, number % 4 != 0, self._note_service)
            for number in range(clients)
        ]
        self._lives = [gevent.spawn(member.live, server.address, clients / rate) for member in self.members]
        self._supervision = gevent.spawn(self._restart_like_systemd)

    def begin(self) -> None:
        self._wait(lambda: all(member.is_in.is_set() for member in self.members), "all are in")
        self._wait(lambda: self.checker.stored > len(self.members), "all talk")

    def kill(self, part: str) -> None:
        """Kill one process at a random moment, and wait until messages are stored again."""
        gevent.sleep(random.uniform(0, 2))
        self._strike(part)
        if random.random() < SECOND_BLOWS:
            gevent.sleep(random.uniform(0, 1))
            part = random.choice([*self._server.stages()] or [part])
            self._strike(part)
        self._recover(part)

    def stop(self, part: str, seconds: float) -> None:
        """Let one process stand still for so long."""
        process = self._find(part)
        process.suspend()
        gevent.sleep(seconds)
        process.resume()
        self.record.stops[part] = self.record.stops.get(part, 0) + 1
        stored = self.checker.stored
        self._wait(lambda: self.checker.stored > stored, f"a message is stored after the {part} goes on")
        self._wait(lambda: all(member.since for member in self.members), "all are back")

    def finish(self) -> None:
        """End the server under load, start it again, let all that is under way be answered, and judge."""
        self._stopping = True
        begun = time.monotonic()
        if self._server.terminate() != 0:
            self.record.faults.append("SIGTERM: the exit status isn't 0")
        self.record.drained = time.monotonic() - begun
        self._server.start()
        for member in self.members:
            member.be_quiet()
        self._wait(self._all_is_known, "every answer is known and everything is heard")
        for member in self.members:
            member.stop()
        gevent.joinall(self._lives, timeout=TOO_LONG)
        self._server.terminate()
        self._supervision.kill()
        if not self._server.wait_until_gone(ORPHANS_WITHIN):
            self.record.faults.append("processes of the server are left")
        self.record.faults += self._look_into_database()
        for kind, count in self.checker.verdict({member.name: member.room for member in self.members}).items():
            self.record.faults.append(f"{kind}: {count}")

    # --- blows and recoveries -----------------------------------------------------------------------------------------

    def _strike(self, part: str) -> None:
        process = self._find(part)
        others = self._server.processes() if part == "reader" else []
        self._struck_at = time.monotonic()
        process.kill()
        self.record.kills[part] = self.record.kills.get(part, 0) + 1
        if others:
            gevent.spawn(self._watch_orphans, others)

    def _find(self, part: str) -> psutil.Process:
        deadline = time.monotonic() + TOO_LONG
        while (process := self._server.stages().get(part)) is None:
            if time.monotonic() > deadline:
                raise SystemExit(f"The server has no {part} any more; its log:\n{self._server.log.read_text()[-4000:]}")
            gevent.sleep(0.05)
        return process

    def _recover(self, part: str) -> None:
        struck = self._struck_at
        self._wait(lambda: self._served_at > struck, f"a message is stored after the blow to the {part}")
        self.record.recoveries.setdefault(part, []).append(self._served_at - struck)
        self._wait(lambda: all(member.since > struck for member in self.members), "all are back")
        self.record.returns.append(max(member.since for member in self.members) - struck)

    def _note_service(self, connected: float) -> None:
        if connected > self._struck_at >= self._served_at:
            self._served_at = time.monotonic()

    def _watch_orphans(self, processes: list[psutil.Process]) -> None:
        begun = time.monotonic()
        while any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes):
            if time.monotonic() - begun > TOO_LONG:
                self.record.faults.append("children outlive the main process for ever")
                return
            gevent.sleep(0.02)
        self.record.orphans.append(time.monotonic() - begun)

    def _restart_like_systemd(self) -> None:
        while not self._stopping:
            self._server.main.wait()
            gevent.sleep(RESTART_AFTER)
            while not self._stopping:
                try:
                    self._server.start()
                    break
                except DidNotStart:
                    gevent.sleep(RESTART_AFTER)

    # --- the end ------------------------------------------------------------------------------------------------------

    def _all_is_known(self) -> bool:
        return all(
            member.since and member.place >= self.checker.newest(member.room) and not member.waiting
            for member in self.members
        )

    def _look_into_database(self) -> list[str]:
        with sqlite3.connect(self._server.data / "chat.db") as database:
            (verdict,) = database.execute("PRAGMA integrity_check").fetchone()
            rows = dict(
                database.execute(
                    "SELECT name, count(*) FROM events JOIN rooms ON rooms.id = room WHERE kind = 'said' GROUP BY name"
                )
            )
        database.close()
        faults = [] if verdict == "ok" else [f"PRAGMA integrity_check: {verdict}"]
        heard = {room: len(entries) for room, entries in self.checker.rooms.items()}
        return faults + ([] if rows == heard else [f"the database holds {rows}, heard were {heard}"])

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + TOO_LONG
        while not condition():
            if time.monotonic() > deadline:
                log = self._server.log.read_text()[-4000:]
                raise SystemExit(f"After {TOO_LONG:.0f} s still not: {what}. The server's log:\n{log}")
            gevent.sleep(0.02)


def main() -> int:
    chosen = _parse()
    random.seed(chosen.seed)
    with OwnServer("--workers", str(chosen.workers)) as server:
        chaos = Chaos(server, chosen.clients, chosen.rooms, chosen.rate)
        chaos.begin()
        parts = ["journal", "manager", *(f"worker {number}" for number in range(chosen.workers)), "reader"]
        begun = time.monotonic()
        bar = "{l_bar}{bar}| {n}/{total} [{elapsed}] {postfix}"
        with tqdm(total=chosen.kills + chosen.stops * len(parts), desc="chaos", bar_format=bar) as progress:
            for part in itertools.islice(itertools.cycle(parts), chosen.kills):
                chaos.kill(part)
                _show(progress, chaos)
            for part in parts * chosen.stops:
                chaos.stop(part, chosen.stop_for)
                _show(progress, chaos)
        chaos.finish()
        print(summary(chaos.record, chaos.checker, chosen.clients, time.monotonic() - begun, chosen.stop_for))
        return 1 if chaos.record.faults else 0


def _show(progress: "tqdm[Any]", chaos: Chaos) -> None:
    progress.set_postfix_str(f"stored {chaos.checker.stored}, faults {sum(chaos.checker.faults.values())}")
    progress.update()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser("scripts/chaos", description="Kill and stop a server's processes under load.")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--rooms", type=int, default=10)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--stops", type=int, default=1, help="how often each process is stopped (default: 1)")
    parser.add_argument("--stop-for", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rate", type=float, default=200.0, help="messages a second that all send (default: 200)")
    parser.add_argument("--seed", type=int, help="of the random moments")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
