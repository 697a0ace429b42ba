"""A limit to how long something may take that is not ours: a signal ends it, wherever it is.

Only the main thread is interrupted by signals, so anywhere else there is no limit. What waits in the kernel ends at
once; a library that computes in C is ended when it returns.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from types import FrameType

from testbed.core.errors import Overdue

DECISION_S = 5.0
"""Seconds that a policy has for a decision: the guest dirties its memory meanwhile."""
AGAIN_S = 0.5
"""Seconds until it is ended again, should it have caught the first one."""
LEAST_S = 0.001
"""A timer of 0 would be none."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises ``Overdue`` within, once they are over. A timer that ran before goes on afterwards, no later than it was
    to end.
    """
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
