"""The supervisor: starts the stages in order, wires them, starts them anew when one dies, stops them in reverse.

It lives in the reader's loop: the sentinels of the other processes and the signals are descriptors in the same
epoll. Crash-only: there is one way to recover from anything, and it is the way to start. When the journal, the
Manager or a worker dies, the generation behind the reader is replaced and its connections are dropped; the clients
come back by themselves and resume.

The journal is replaced with the fan-out although it may be well: it holds the dead outlets' proxies, and a commit
that is on disk but lost on its way is exactly what a new start replays by number. One path, tested every time.
"""

from __future__ import annotations

import functools
import signal
import socket
import time
from types import FrameType

from chat.secure import psk_of
from server.admission import Admission
from server.announcer import Announcement, Announcer
from server.backend import Backend, BackendFailed
from server.children import log, raise_file_limit, spare_the_collector, start_logging
from server.config import Config
from server.datafolder import DataFolder
from server.gate import Gate
from server.gauges import Gauges, Panel
from server.listening import CannotListen, first_line, listen
from server.reader import Reader
from server.readiness import READY, STOPPING, notify
from server.roster import Roster
from server.session import Session

STOP_LIMIT = 1.5
"""Seconds that stopping may take before what is left is killed."""

RESTARTS = 10
"""Restarts within `RESTARTS_WITHIN` seconds after which the server gives up, for whoever watches it to see."""
RESTARTS_WITHIN = 30.0


class Supervisor:
    """A server: `run` serves until SIGTERM or SIGINT."""

    def __init__(self, config: Config, folder: DataFolder) -> None:
        self._config = config
        self._folder = folder
        self._private_key = folder.private_key()
        self._roster = Roster()
        self._restarts: list[float] = []
        self._backend: Backend

    def run(self) -> None:
        """Serve. Raises `CannotListen` or `BackendFailed` if that can't begin, or can't go on."""
        start_logging()
        raise_file_limit()
        listener = listen(self._config.host, self._config.port)
        Gauges.remove(self._folder.left_behind)
        gauges = Gauges.create(self._folder.gauges)
        try:
            if self._config.metrics_port:
                _serve_metrics(gauges, self._config.metrics_port)
            self._serve(listener, gauges)
        finally:
            gauges.close(remove=True)

    def _serve(self, listener: socket.socket, gauges: Gauges) -> None:
        self._panel = gauges.panel("supervisor")
        self._reader = Reader(
            listener,
            self._new_session(),
            Admission(self._config.max_per_address),
            self._roster,
            gauges.panel("reader"),
        )
        wakeup = self._heed_signals()
        self._start_backend()
        announcer = self._new_announcer(listener, gauges.panel("announcer"))
        if self._config.beacon:
            announcer.start()
        print(first_line(listener, self._private_key), flush=True)
        notify(READY)
        spare_the_collector()
        try:
            self._reader.run(self._backend)
            log.info("stopping")
            notify(STOPPING)
            announcer.stop()
            self._unwatch_backend()
            self._backend.stop(STOP_LIMIT)
        except BaseException:
            self._backend.kill()
            raise
        finally:
            self._reader.close()
            signal.set_wakeup_fd(-1)
            wakeup.close()

    def _new_session(self) -> functools.partial[Session]:
        psk = None if self._config.passphrase is None else psk_of(self._config.passphrase)
        private_key, rate = self._private_key, self._config.rate
        return functools.partial(_session, private_key, psk, rate)

    def _new_announcer(self, listener: socket.socket, panel: Panel) -> Announcer:
        host, port = listener.getsockname()[:2]
        announcement = Announcement(
            private_key=self._private_key,
            name=self._config.name,
            host=host,
            port=port,
            beacon_port=self._config.beacon_port,
            passphrase=self._config.passphrase is not None,
            advertised=self._config.advertised,
            hints=self._config.hints,
            started=self._folder.next_start(),
        )
        return Announcer(announcement, self._roster, panel)

    # --- the generation behind the reader -------------------------------------------------------------------------

    def _start_backend(self) -> None:
        self._backend = Backend(self._folder, self._config.name, self._config.workers, self._folder.gauges)
        self._panel.set("manager_pid", self._backend.manager_pid)
        self._panel.set("workers", self._config.workers)
        for fileno, process in self._backend.sentinels().items():
            self._reader.watch(fileno, functools.partial(self._replace_backend, process))

    def _unwatch_backend(self) -> None:
        for fileno in self._backend.sentinels():
            self._reader.unwatch(fileno)

    def _replace_backend(self, dead: str) -> None:
        log.error("the %s has died; starting the stages anew", dead)
        self._panel.add("restarts")
        now = time.monotonic()
        self._restarts = [moment for moment in self._restarts if now - moment < RESTARTS_WITHIN] + [now]
        if len(self._restarts) > RESTARTS:
            raise BackendFailed(f"The stages died {RESTARTS} times within {RESTARTS_WITHIN:.0f} s; the log says how.")
        self._unwatch_backend()
        self._backend.kill()
        self._reader.drop_logged_in()
        self._start_backend()
        self._reader.start_over(self._backend)
        log.info("serving again after %.0f ms", 1000 * (time.monotonic() - now))

    # --- signals ----------------------------------------------------------------------------------------------------

    def _heed_signals(self) -> socket.socket:
        """Have SIGTERM and SIGINT stop the loop, through a descriptor in it: a handler alone could come just
        before `epoll.poll` and be heeded after it. Should the pipe ever be full, there is a wake-up in it already.
        """
        receiving, sending = socket.socketpair()
        receiving.setblocking(False)
        sending.setblocking(False)
        signal.set_wakeup_fd(sending.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _do_nothing)

        def stop() -> None:
            receiving.recv(64)
            self._reader.stop()

        self._reader.watch(receiving.fileno(), stop)
        self._wakeup_sender = sending  # kept open: the signal machinery knows only its number
        return receiving


def _serve_metrics(gauges: Gauges, port: int) -> None:
    from server import metrics  # Prometheus's library is imported only where it is wanted

    try:
        metrics.serve(gauges, port)
    except OSError as error:
        raise CannotListen(f"Can't give metrics on port {port}: {error.strerror}; choose another.") from None


def _session(private_key: bytes, psk: bytes | None, rate: float) -> Session:
    return Session(private_key, psk, Gate(rate))


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Python writes a signal's number to the wake-up descriptor only if it has a handler."""
