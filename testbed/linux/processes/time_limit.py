"""A limit to how long something may take that is not ours: a signal ends it, wherever it is.

Only the main thread is interrupted by signals, so anywhere else there is no limit. What waits in the kernel ends at
once; a library that computes in C is ended when it returns.

Nor may it end this process: that would be without a word, and with the exit code of a run that is done and valid.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from types import FrameType
from typing import NoReturn

from testbed.core.errors import Overdue

DECISION_S = 5.0
"""Seconds that a policy has for a decision: the guest dirties its memory meanwhile."""
AGAIN_S = 0.5
"""Seconds until it is ended again, should it have caught the first one."""
LEAST_S = 0.001
"""A timer of 0 would be none."""
_within, _really_exit = threading.local(), os._exit


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises ``Overdue`` within, once they are over; there ``os._exit`` raises ``SystemExit``. A timer that ran before
    goes on afterwards, no later than it was to end.
    """
    with _staying(), _timed(seconds):
        yield


@contextmanager
def _staying() -> Iterator[None]:
    before = getattr(_within, "pid", None)
    setattr(os, "_exit", _exit)  # noqa: B010 - a name of a module's, which no type checker lets one assign
    _within.pid = os.getpid()
    try:
        yield
    finally:
        _within.pid = before


def _exit(status: int) -> NoReturn:
    """Other threads end the process as they ask, and so does a child that was forked meanwhile."""
    if getattr(_within, "pid", None) == os.getpid():
        raise SystemExit(f"os._exit({status})")
    _really_exit(status)


@contextmanager
def _timed(seconds: float) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        raise Overdue(seconds)

    began, handler = monotonic(), signal.signal(signal.SIGALRM, end)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(LEAST_S, left - (monotonic() - began)), interval)


def deciding() -> AbstractContextManager[None]:
    """In which a policy decides, in the source agent as in a prediction."""
    return time_limit(DECISION_S)
