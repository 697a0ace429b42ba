"""Workers elsewhere, by Dask's scheduler: points go out, two a worker, and runs come back and are put in place here.

The scheduler is nobody's memory: what it forgets is not there, and so is made when the same command comes again.
"""

import queue
import secrets
from asyncio import CancelledError
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self

from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.sweeps.ended import PointMade
from testbed.sweeps.folder import SweepFolder
from testbed.sweeps.makers.brought import PointBrought, brought, lay
from testbed.sweeps.makers.carried import with_code
from testbed.sweeps.makers.here import WINDOW
from testbed.sweeps.makers.safe import SchedulerPlace, quiet, security
from testbed.sweeps.points import PointWanted

LOOK_S = 0.2
"""Seconds between two looks at who is there."""
CONNECT_S = 10
MOST_DEATHS = 5
"""Workers that may die with one point: it may be the point that they die of."""
MACHINE, NATIVE = "machine", "native"
"""Resources of a worker: every one has one machine, and who may make real hosts says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointGiven:
    """A point that the worker ``machine`` is to make, which was at ``address`` when it was given it."""

    wanted: PointWanted
    machine: str
    address: str
    future: Any


class Remote:
    """The workers of a scheduler. ``native``: only those that make real hosts. ``say`` is told who is waited for."""

    count = 0

    def __init__(self, place: SchedulerPlace, folder: SweepFolder, native: bool, say: Callable[[str], None]) -> None:
        self._place, self._folder, self._native, self._say = place, folder, native, say
        self._given: dict[str, PointGiven] = {}
        self._ended: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
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
        self._look()
        if not self._able() and self._given:
            return None
        least = self._least()
        return least if self._load(least) < WINDOW and len(self) < WINDOW * len(self._able()) else None

    def give(self, wanted: PointWanted, machine: str) -> None:
        """A point, for that worker. With several of them it does not wait for a machine that somebody else has, before
        another was asked.
        """
        self._submit(replace(wanted, wait=len(self._workers) < 2), machine)

    def _submit(self, wanted: PointWanted, machine: str) -> None:
        key, address = f"point-{wanted.id}-{secrets.token_hex(4)}", self._workers[machine]
        future = self._client.submit(
            brought,
            with_code(wanted),
            key=key,
            pure=False,
            resources={MACHINE: 1, NATIVE: 1} if self._native else {MACHINE: 1},
            workers=[address],
        )
        self._given[key] = PointGiven(wanted=wanted, machine=machine, address=address, future=future)
        self._client.loop.add_callback(self._bring, key, future)

    async def _bring(self, key: str, future: Any) -> None:
        """Beside all others, since whoever stands still keeps its own waiting."""
        try:
            answer = await self._client.gather(future, asynchronous=True)
        except (Exception, CancelledError) as fault:  # noqa: BLE001 - whosever it is, ``_taken`` says what it comes to
            answer = fault
        self._ended.put((key, answer))

    def take(self) -> PointMade:
        """The next that has ended. Raises ``TestbedError`` when the scheduler is gone."""
        while True:
            self._look()
            if self._ended.empty():
                self._give_what_was_lost()
            with suppress(queue.Empty):
                made = self._taken(*self._ended.get(timeout=LOOK_S))
                if made is not None:
                    return made

    def _give_what_was_lost(self) -> None:
        """The points of workers that are no more, to others."""
        there = set(self._workers.values())
        for key, given in list(self._given.items()):
            if given.address not in there:
                del self._given[key]
                given.future.release()
                self._died(given.wanted, "its worker is gone")
                self._again(given.wanted, given.machine)

    def _taken(self, key: str, answer: Any) -> PointMade | None:
        """How that one ended; None where it is under way again."""
        given = self._given.pop(key, None)
        if given is None:
            return None
        if given.future.status == "cancelled":
            raise self._gone()
        given.future.release()
        if isinstance(answer, BaseException):
            self._died(given.wanted, _line(answer))
            self._again(given.wanted, given.machine)
            return None
        return self._answered(given.wanted, given.machine, answer)

    def _answered(self, wanted: PointWanted, worker: str, answer: PointBrought) -> PointMade | None:
        if answer.lacks:
            self._lacking[worker] = answer.lacks
            self._say(f"{answer.machine} makes no more: {answer.lacks}")
            self._again(wanted, worker)
            return None
        if answer.busy:
            self._again(replace(wanted, wait=True), self._other(worker))
            return None
        return self._kept(wanted, answer)

    def _died(self, wanted: PointWanted, why: str) -> None:
        self._deaths[wanted.id] += 1
        if self._deaths[wanted.id] >= MOST_DEATHS:
            raise TestbedError(f"point {wanted.number} ({wanted.arm}): {why}, {MOST_DEATHS} times")

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
        """To that worker, or to another where it is not able."""
        self._look(now=True)
        least = self._least()
        self._submit(wanted, worker if worker in self._able() else least)

    def _least(self) -> str:
        """Who of those that are able has least to do. Waits for one where nobody is, and says so."""
        told = False
        while not (able := self._able()):
            if self._workers:
                raise PrerequisiteMissing(next(iter(self._lacking.values())), "no other worker is there")
            if not told:
                kind = " that makes real hosts" if self._native else ""
                self._say(f"waiting for a worker{kind} at {self._place.url}")
                told = True
            sleep(LOOK_S)
            self._look(now=True)
        return min(able, key=self._load)

    def _load(self, machine: str) -> int:
        return sum(given.machine == machine for given in self._given.values())

    def _other(self, worker: str) -> str:
        """One with less to do, if there is one: this one's machine is another's for a while."""
        return next((name for name in self._able() if name != worker and self._load(name) == 0), worker)

    def _able(self) -> list[str]:
        """Workers that are there and lack nothing."""
        return [name for name in self._workers if name not in self._lacking]

    def _look(self, now: bool = False) -> None:
        """Who is there. Raises ``TestbedError`` where the scheduler is not."""
        if self._client.status != "running":
            raise self._gone()
        if not now and monotonic() < self._looked + LOOK_S:
            return
        known = self._client.scheduler_info(n_workers=-1)["workers"]
        self._looked = monotonic()
        self._workers = {
            str(each["name"]): address
            for address, each in known.items()
            if each.get("resources", {}).get(MACHINE) and (not self._native or each["resources"].get(NATIVE))
        }

    def _gone(self) -> TestbedError:
        there = "what was made is kept, and the same command goes on"
        return TestbedError(f"the scheduler at {self._place.url} is gone; {there}")


def _line(fault: BaseException | None) -> str:
    return " ".join(str(fault).split())[:200] or type(fault).__name__
