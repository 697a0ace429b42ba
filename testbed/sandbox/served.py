"""What is served from within a sandbox: a file's policy, tracker or functions; only a sandbox's own process does it."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from math import ceil
from pathlib import Path
from resource import RLIMIT_CPU, setrlimit
from time import process_time
from types import FrameType, ModuleType
from typing import Protocol, TypeAlias

from testbed import policies
from testbed.core.errors import Overdue, TestbedError
from testbed.core.own.file import OwnFile
from testbed.core.own.words import place_in, told
from testbed.core.parameters import parameters_of
from testbed.core.rounds import Round
from testbed.core.text.from_json import Json, built
from testbed.policies.decisions import ask, early_look
from testbed.policies.policy import Policy
from testbed.sandbox.messages import FILE, Limits, PolicyMade, PolicyWanted, RoundsSeen, Serves, TrackerWanted

AGAIN_S = 0.25
"""Seconds of processor time until code is interrupted again that has caught the first interruption."""
PROGRAM = OwnFile("program", methods=())
Made: TypeAlias = "Callable[[Limits], Served]"


class Served(Protocol):
    """Whoever answers the questions."""

    def answer(self, method: str, arguments: object) -> object:
        """Something that JSON has, or a dataclass. Raises whatever the file's code does."""
        ...


class FilesPolicy:
    """The one policy of the file: ``make`` it with its parameters, then let it ``decide``."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._history = limits, list[Round]()
        self._policy: Policy

    def answer(self, method: str, arguments: object) -> object:
        """See ``Served``: of ``PolicyWanted`` a ``PolicyMade``, of ``RoundsSeen`` a ``Decision``."""
        if method == "make":
            return self._make(built(PolicyWanted, arguments))
        seen = built(RoundsSeen, arguments)
        self._history[seen.known :] = seen.rounds
        return ask(self._policy, self._history, lambda: processor_time(self._limits))

    def _make(self, wanted: PolicyWanted) -> PolicyMade:
        with processor_time(self._limits):
            known = parameters_of(policies.registry.get(FILE))
            offered = {name: value for name, value in wanted.offered.items() if name in known}
            self._policy = policies.build({"name": FILE, **offered})
            return PolicyMade(early_look=early_look(self._policy))


class FilesFunctions:
    """The functions of the file, each asked for by its name."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    @cached_property
    def _module(self) -> ModuleType:
        """Nobody can change it here, so nobody has to look whether it did, with each question."""
        return PROGRAM.module(Path(FILE), FILE)

    def answer(self, method: str, arguments: object) -> object:
        """See ``Served``: what the function returns."""
        try:
            with processor_time(self._limits):
                function = getattr(self._module, method, None)
                if method.startswith("_") or not callable(function):
                    return _raise(f"{FILE}: there is no function '{method}' in it")
                return function(**arguments) if isinstance(arguments, dict) else function(*_list(arguments))
        except TestbedError:
            raise
        except (Exception, SystemExit) as fault:  # noqa: BLE001 - it is anybody's code
            place = place_in(FILE, fault.__traceback__) or FILE
            return _raise(f"{place}: '{method}' failed: {told(fault)}")


class FilesTracker:
    """The one dirty tracker of the file, which is explored."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def answer(self, _method: str, arguments: object) -> object:
        """See ``Served``: of ``TrackerWanted`` what was found."""
        from testbed.dirty.interleavings import explore
        from testbed.dirty.own_file import OWN_TRACKER

        wanted = built(TrackerWanted, arguments)
        with processor_time(self._limits):
            made = OWN_TRACKER.load(FILE)
            return explore(made, pages=wanted.pages, depth=wanted.depth, rounds=wanted.rounds)


SERVED: Mapping[Serves, Made] = {"policy": FilesPolicy, "tracker": FilesTracker, "functions": FilesFunctions}


@contextmanager
def processor_time(limits: Limits) -> Iterator[None]:
    """Raises ``Overdue`` within once a question has had its seconds of processor time. Code that computes in C, and
    code that catches that, is ended by the kernel a second or two later.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        raise Overdue(limits.question_s)

    soft = min(limits.cpu_s, ceil(process_time() + limits.question_s + 1.0))
    setrlimit(RLIMIT_CPU, (soft, limits.cpu_s))
    signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, limits.question_s, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _list(arguments: object) -> list[Json]:
    return arguments if isinstance(arguments, list) else [arguments]  # type: ignore[list-item]


def _raise(words: str) -> object:
    raise TestbedError(words)
