"""Everything that is measured while a migration runs, on one clock: one thread asks every source, every 20 ms.

    t0        t0+20     t0+40     t0+60        the schedule, which never drifts: the n-th tick is at t0 + n x 20 ms
    |--ask--| |--ask--| |-------ask--------|   a tick that starts after the next was due is lost, and counted

A slow machine is asked less often. The first twelve ticks are a trial: where they took more of a core than
``MOST_SHARE``, the period becomes so many times as long as brings that to ``AIMED_SHARE``, ``LONGEST_S`` at the most,
once and for good; a row of kind ``event`` says so, and what was lost until then is not counted.

Each row is a line of samples.jsonl, {"t": seconds of CLOCK_MONOTONIC, "kind": ..., ...}; t is read just before its
source is. What is in ``common`` is in every row. Nothing is thinned. The thread measures its own CPU time, because it
competes with what it watches.
"""

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType

import orjson

from testbed.core.errors import TestbedError, in_words
from testbed.core.records.sampler import SamplerReport
from testbed.linux.files import owned
from testbed.linux.processes.virtual import share_held_back
from testbed.metrics.source import Row, SampleSource

PERIOD_S = 0.02
MOST_SHARE, AIMED_SHARE, LONGEST_S = 0.08, 0.05, 0.2
_BATCH = 12
"""Ticks between writes: a quarter of a second may be lost when this process is killed. And those of the trial."""


def fitting(period_s: float, tick_cpu_s: float) -> float:
    """The period for ticks that take so much of a processor: the one that is asked, or so many times that."""
    if period_s >= LONGEST_S or tick_cpu_s / period_s <= MOST_SHARE:
        return period_s
    return min(math.ceil(tick_cpu_s / period_s / AIMED_SHARE) * period_s, LONGEST_S)


class Sampler:
    """Writes ``path`` while the context lasts. It owns the sources and closes them.

    What goes wrong in its thread (a full disk, an unreadable source) is raised at ``close`` as ``TestbedError``;
    until then the sampling goes on with what works. ``remedy``: what to do where samples cannot be written. ``event``
    and ``add`` may be called from any thread.
    """

    def __init__(
        self,
        path: Path,
        sources: tuple[SampleSource, ...] = (),
        period_s: float = PERIOD_S,
        common: Mapping[str, object] = MappingProxyType({}),
        remedy: str = "make room",
    ) -> None:
        self._path, self._period, self._common, self._remedy = path, period_s, common, remedy
        self._sources = list(sources)
        self._rows: deque[Row] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._failure: TestbedError | None = None
        self._taken = self._lost = 0
        self._cpu = self._started = self._last = 0.0
        self._held_back: Callable[[], float] = float

    @property
    def taken(self) -> int:
        """Ticks taken so far, lost ones not among them."""
        return self._taken

    @property
    def lost(self) -> int:
        """Ticks that could not be kept."""
        return self._lost

    def __enter__(self) -> "Sampler":
        try:
            self._file = owned.append(self._path, buffering=0)
        except OSError as error:
            raise self._unwritten(error) from error
        self._started = self._last = time.monotonic()
        self._held_back = share_held_back()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            with contextlib.suppress(TestbedError):  # it would hide what happened first
                self.close()

    def add(self, source: SampleSource) -> None:
        """One more source, from the next tick on."""
        self._sources.append(source)

    def event(self, kind: str, **fields: object) -> None:
        """Something that happened now: a row of kind ``event`` whose ``event`` is ``kind``."""
        self._rows.append({"t": time.monotonic(), **self._common, "kind": "event", "event": kind, **fields})

    def report(self) -> SamplerReport:
        """Up to now; complete after ``close``."""
        elapsed = self._last - self._started
        return SamplerReport(
            taken=self._taken,
            lost=self._lost,
            cpu_s=self._cpu,
            elapsed_s=elapsed,
            held_back=self._held_back(),
        )

    def close(self) -> None:
        """Ends the thread, writes what is left. Raises ``TestbedError`` when samples were not written or not read."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._thread.join()
        self._write()
        for source in self._sources:
            source.close()
        self._file.close()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        origin, tick = self._started, 0
        while not self._stop.wait(max(0.0, origin + tick * self._period - time.monotonic())):
            self._tick()
            behind = int((time.monotonic() - origin) / self._period) - tick
            self._lost += max(0, behind - 1)
            tick += max(1, behind)
            if self._taken % _BATCH == 0:
                self._write()
            self._cpu, self._last = time.thread_time(), time.monotonic()
            if self._taken == _BATCH and (period := fitting(self._period, self._cpu / _BATCH)) != self._period:
                self._period, origin, tick, self._lost = period, time.monotonic(), 1, 0
                self.event("sampling", period_s=period)

    def _tick(self) -> None:
        for source in tuple(self._sources):
            now = time.monotonic()
            try:
                self._rows.extend({"t": now, **self._common, **row} for row in source.sample())
            except OSError as error:
                unread = TestbedError(f"a {type(source).__name__} could not be read: {in_words(error)}")
                self._failure = self._failure or unread
                self._sources.remove(source)
                source.close()
        self._taken += 1

    def _write(self) -> None:
        lines = [orjson.dumps(self._rows.popleft()) for _ in range(len(self._rows))]
        if not lines:
            return
        try:
            owned.extend(self._file, b"\n".join(lines) + b"\n")
        except OSError as error:
            self._failure = self._failure or self._unwritten(error)
            self._failure.__cause__ = error

    def _unwritten(self, error: OSError) -> TestbedError:
        reason = error.strerror or str(error)
        return TestbedError(f"samples cannot be written to {self._path}: {reason}; {self._remedy}")
