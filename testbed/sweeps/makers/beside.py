"""A process beside a worker that makes its points: what takes too long there is ended by a signal, and signals reach
main threads alone, while Dask would make points in another thread of its own.
"""

import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from typing import Any

from testbed.linux.processes.process import die_with_parent


class Beside(Executor):
    """One process, for one point after the other; where one is its death, the next has a new one."""

    def __init__(self) -> None:
        self._process = _process()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **more: Any) -> "Future[Any]":
        """As any executor does it."""
        try:
            return self._process.submit(fn, *args, **more)
        except BrokenProcessPool:
            self._process = _process()
            return self._process.submit(fn, *args, **more)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends it at once: for what is under way nobody waits any more, and it may take minutes."""
        for each in active_children():
            each.kill()
        self._process.shutdown(wait, cancel_futures=cancel_futures)


def _process() -> ProcessPoolExecutor:
    """Started anew and not forked: a worker has threads, which a copy of it would not have."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin)


def _begin() -> None:
    """Whoever started it ends it: Ctrl-C is the worker's, which may leave without waiting for a point."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
