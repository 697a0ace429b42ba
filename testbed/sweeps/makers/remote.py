"""Workers elsewhere, by Dask's scheduler: points go out, two a worker, and runs come back and are put in place here.

The scheduler is nobody's memory: what it forgets is not there, and so is made when the same command comes again.
"""

import queue
import secrets
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from types import TracebackType
from typing import Any, Self

from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.sweeps.ended import PointMade
from testbed.sweeps.folder import SweepFolder
from testbed.sweeps.makers.brought import PointBrought, brought, lay
from testbed.sweeps.makers.here import WINDOW
from testbed.sweeps.makers.safe import SchedulerPlace, quiet, security
from testbed.sweeps.points import PointWanted

LOOK_S = 0.2
"""Seconds between two looks at who is there."""
CONNECT_S = 10
MOST_DEATHS = 3
"""Times that Dask gives up a point, each after several workers that died with it."""
MACHINE, NATIVE = "machine", "native"
"""Resources of a worker: every one has one machine, and who may make real hosts says so."""


class Remote:
    """The workers of a scheduler. ``native``: only those that make real hosts. ``say`` is told who is waited for."""

    count = 0

    def __init__(self, place: SchedulerPlace, folder: SweepFolder, native: bool, say: Callable[[str], None]) -> None:
        self._place, self._folder, self._native, self._say = place, folder, native, say
        self._given: dict[str, tuple[PointWanted, str, Any]] = {}
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._workers: dict[str, str] = {}
        self._looked = 0.0
        self._lacking: dict[str, str] = {}
        self._deaths: Counter[str] = Counter()

    def __enter__(self) -> Self:
        import dask
        from distributed import Client

        quiet()
        dask.config.set({"distributed.comm.timeouts.connect": f"{CONNECT_S}s"})
        try:
            self._client = Client(
                self._place.url, security=security(self._place), timeout=CONNECT_S, set_as_default=False
            )
        except (OSError, TimeoutError, ValueError) as fault:
            raise TestbedError(f"no scheduler answers at {self._place.url}: {_line(fault)}") from fault
        self._staging = self._folder.staging()
        self._here = self._staging.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._staging.__exit__(kind, error, trace)
        with suppress(Exception):  # whatever of it is left to say, nobody waits for it
            self._client.close(timeout=1)

    def __len__(self) -> int:
        return len(self._given)

    def free(self) -> str | None:
        """The worker with least to do that has room. Waits for one where nothing is under way."""
        told = False
        while True:
            self._look()
            load = Counter(worker for _, worker, _ in self._given.values())
            if able := self._able():
                least = min(able, key=lambda name: load[name])
                return least if load[least] < WINDOW and len(self._given) < WINDOW * len(able) else None
            if self._given:
                return None
            self._refuse_lacking()
            if not told:
                kind = " that makes real hosts" if self._native else ""
                self._say(f"waiting for a worker{kind} at {self._place.url}")
                told = True
            self._sleep()

    def give(self, wanted: PointWanted, machine: str) -> None:
        """A point, for that worker, or for any that is there when that one is not. With several workers none waits for
        a machine that somebody else has, before another was asked.
        """
        self._submit(replace(wanted, wait=len(self._workers) < 2), machine)

    def _submit(self, wanted: PointWanted, machine: str) -> None:
        key = f"point-{wanted.id}-{secrets.token_hex(4)}"
        future = self._client.submit(
            brought,
            wanted,
            key=key,
            pure=False,
            resources={MACHINE: 1, NATIVE: 1} if self._native else {MACHINE: 1},
            workers=[self._workers[machine]],
            allow_other_workers=True,
        )
        self._given[key] = wanted, machine, future
        future.add_done_callback(lambda done: self._ended.put(done.key))

    def take(self) -> PointMade:
        """The next that has ended. Raises ``TestbedError`` when the scheduler is gone."""
        while True:
            self._look()
            with suppress(queue.Empty):
                made = self._taken(self._ended.get(timeout=LOOK_S))
                if made is not None:
                    return made

    def _taken(self, key: str) -> PointMade | None:
        """How that one ended; None where it was given again."""
        if key not in self._given:
            return None
        wanted, worker, future = self._given.pop(key)
        if future.status == "cancelled":
            raise self._gone()
        if future.status == "error":
            self._deaths[wanted.id] += 1
            if self._deaths[wanted.id] >= MOST_DEATHS:
                raise TestbedError(f"point {wanted.number} ({wanted.arm}): {_line(future.exception())}")
            self._again(wanted, worker)
            return None
        try:
            answer = future.result(timeout=CONNECT_S)
        except (TimeoutError, OSError):  # its worker died with it: Dask makes it again
            self._given[key] = wanted, worker, future
            future.add_done_callback(lambda done: self._ended.put(done.key))
            return None
        finally:
            future.release()
        if answer.lacks:
            self._lacking[worker] = answer.lacks
            self._say(f"{answer.machine} makes no more: {answer.lacks}")
            self._again(wanted, worker)
            return None
        if answer.busy:
            self._again(replace(wanted, wait=True), self._other(worker))
            return None
        return self._kept(wanted, answer)

    def _kept(self, wanted: PointWanted, answer: PointBrought) -> PointMade:
        """Puts a run into place."""
        if answer.made is None:
            raise TestbedError(f"point {wanted.number} ({wanted.arm}): {answer.machine} said nothing")
        if answer.record is not None and answer.record.id == wanted.id:
            made = self._here / wanted.id
            lay(answer.files, made)
            (self._folder.keep_canary if wanted.canary else self._folder.keep)(made, answer.record)
        return answer.made

    def _again(self, wanted: PointWanted, worker: str) -> None:
        """To another worker than that, where there is one that is able."""
        self._look(now=True)
        while not (able := self._able()):
            self._refuse_lacking()
            self._sleep()
        self._submit(wanted, worker if worker in able else able[0])

    def _other(self, worker: str) -> str:
        """One with less to do, if there is one: this one's machine is another's for a while."""
        load = Counter(name for _, name, _ in self._given.values())
        return next((name for name in self._able() if name != worker and load[name] == 0), worker)

    def _able(self) -> list[str]:
        """Workers that are there and lack nothing."""
        return [name for name in self._workers if name not in self._lacking]

    def _refuse_lacking(self) -> None:
        """Called where nobody is able. Raises ``PrerequisiteMissing`` where somebody is there all the same."""
        if self._workers:
            raise PrerequisiteMissing(next(iter(self._lacking.values())), "no other worker is there")

    def _look(self, now: bool = False) -> None:
        """Who is there. Raises ``TestbedError`` where the scheduler is not."""
        if self._client.status != "running":
            raise self._gone()
        if not now and monotonic() < self._looked + LOOK_S:
            return
        try:
            known = self._client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, TimeoutError) as fault:
            raise self._gone() from fault
        self._looked = monotonic()
        self._workers = {
            str(each["name"]): address
            for address, each in known.items()
            if each.get("resources", {}).get(MACHINE) and (not self._native or each["resources"].get(NATIVE))
        }

    def _sleep(self) -> None:
        with suppress(queue.Empty):
            self._ended.put(self._ended.get(timeout=LOOK_S))
        self._look(now=True)

    def _gone(self) -> TestbedError:
        there = "what was made is kept, and the same command goes on"
        return TestbedError(f"the scheduler at {self._place.url} is gone; {there}")


def _line(fault: BaseException | None) -> str:
    return " ".join(str(fault).split())[:200] or type(fault).__name__
