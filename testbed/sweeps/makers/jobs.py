"""Processes of ours beside this one that make points which need no machine (``job_process``)."""

from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Pipe, wait
from subprocess import DEVNULL, Popen
from types import TracebackType
from typing import Self

from testbed.core.errors import TestbedError
from testbed.experiment.messages import RunFailed, RunLine
from testbed.linux.processes.module import module
from testbed.sweeps.ended import PointMade
from testbed.sweeps.folder import SweepFolder
from testbed.sweeps.makers.here import WINDOW
from testbed.sweeps.making import machine_name
from testbed.sweeps.points import PointWanted

MOST_DEATHS = 3
"""Makers that one point may outlive."""


class Job:
    """A process beside this one that makes points (``job_process``)."""

    def __init__(self, folder: SweepFolder) -> None:
        self.there, theirs = Pipe()
        with theirs:
            number = theirs.fileno()
            command = module("testbed.sweeps.makers.job_process", str(number), str(folder.path))
            # A session of its own: Ctrl-C reaches it once, through us.
            self.process = Popen(command, pass_fds=[number], stdin=DEVNULL, start_new_session=True)
        self.given: deque[PointWanted] = deque()

    def end(self) -> None:
        """At once; what it has not put into place was not made."""
        self.there.close()
        self.process.kill()
        self.process.wait()


class Jobs:
    """So many processes, for points that need no machine. One that is killed loses nothing: its points are others'."""

    def __init__(self, folder: SweepFolder, count: int, say: Callable[[str], None]) -> None:
        self._folder, self.count, self._say = folder, count, say
        self._jobs: list[Job] = []
        self._lost: deque[PointWanted] = deque()
        self._deaths: Counter[str] = Counter()

    def __enter__(self) -> Self:
        try:
            for _ in range(self.count):
                self._jobs.append(Job(self._folder))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for job in self._jobs:
            job.end()
        self._folder.prepare()  # what they had begun goes

    def __len__(self) -> int:
        return sum(len(job.given) for job in self._jobs)

    def free(self) -> str | None:
        """This machine, as long as one of them has room."""
        return machine_name() if len(self._idlest().given) < WINDOW else None

    def give(self, wanted: PointWanted, _machine: str) -> None:
        """A point, for whoever has least to do."""
        job = self._idlest()
        job.given.append(wanted)
        with suppress(OSError):  # it has died, which ``take`` finds out
            job.there.send(wanted)

    def take(self) -> PointMade:
        """The next that has ended."""
        while True:
            ready = wait([job.there for job in self._jobs if job.given])
            job = next(each for each in self._jobs if each.there is ready[0])
            try:
                heard = job.there.recv()
            except (EOFError, OSError):
                self._died(job)
                continue
            if isinstance(heard, RunLine):
                self._say(heard.words)
            elif isinstance(heard, RunFailed):
                raise heard.again()
            else:
                job.given.popleft()
                return heard  # type: ignore[no-any-return]  # what crosses a pipe has no type

    def _idlest(self) -> Job:
        return min(self._jobs, key=lambda job: len(job.given))

    def _died(self, job: Job) -> None:
        """Another takes its place, and its points. Raises ``TestbedError`` where one point is the death of several."""
        first = job.given[0]
        self._deaths[first.id] += 1
        if self._deaths[first.id] >= MOST_DEATHS:
            raise TestbedError(f"{MOST_DEATHS} processes died of point {first.number} ({first.arm})")
        job.end()
        self._folder.prepare()
        self._jobs[self._jobs.index(job)] = new = Job(self._folder)
        for wanted in job.given:
            new.given.append(wanted)
            new.there.send(wanted)
