"""Processes that are to end."""

from collections.abc import Iterable
from contextlib import suppress
from time import monotonic, sleep

import psutil


def living(processes: Iterable[psutil.Process], timeout_s: float = 20.0) -> list[psutil.Process]:
    """Those that have not ended by then. (``psutil.wait_procs`` itself fails, on Linux 6.1, where one has ended whose
    number its group still goes by.)
    """
    until, left = monotonic() + timeout_s, [*processes]
    while (left := [each for each in left if _runs(each)]) and monotonic() < until:
        sleep(0.01)
    return left


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
