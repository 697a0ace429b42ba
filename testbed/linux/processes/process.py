"""A process as the kernel sees it: its state, freezing it and knowing that it is frozen, and its own settings."""

import os
import resource
import signal
import time

from testbed.linux.processes.waiting import Patience
from testbed.linux.syscalls import prctl

_SET_PDEATHSIG, _SET_TIMERSLACK = 1, 29
_STOPPED, _ENDED = "Tt", "ZX"


def state(pid: int) -> str:
    """The state letter of /proc/PID/stat (R, S, D, T, Z...). Raises ``ProcessLookupError`` when there is none such."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        raise ProcessLookupError(f"no process {pid}") from None


def has_ended(pid: int) -> bool:
    """There is no such process, or only what its parent has not yet collected of it."""
    try:
        return state(pid) in "ZX"
    except ProcessLookupError:
        return True


def is_frozen(pid: int) -> bool:
    """Stopped by a signal (or by a tracer)."""
    return state(pid) in _STOPPED


def freeze(pid: int, timeout: float = 5.0) -> None:
    """SIGSTOP, and waits until every thread of it stands still. Raises ``TimeoutError``, ``ProcessLookupError``, and
    ``ValueError`` for this very process, which would never go on.

    The signal is only a request: the kernel stops a thread at its next return to user mode, which may be
    microseconds later, and until then it still writes memory.
    """
    if pid == os.getpid():
        raise ValueError(f"process {pid} would stop itself, and nobody would set it going again")
    os.kill(pid, signal.SIGSTOP)
    patience = Patience(timeout)
    while not _stands_still(pid):
        if patience.over():
            raise TimeoutError(f"process {pid} did not stop within {timeout:g} s (state {state(pid)})")
        time.sleep(20e-6)


def resume(pid: int) -> None:
    """Lets a stopped process run on (SIGCONT). Raises ``ProcessLookupError``."""
    os.kill(pid, signal.SIGCONT)


def _stands_still(pid: int) -> bool:
    """Raises ``ProcessLookupError`` for one that has ended, also if nobody has asked for its exit code yet."""
    try:
        states = {_thread_state(pid, int(thread)) for thread in os.listdir(f"/proc/{pid}/task")}
    except FileNotFoundError:
        raise ProcessLookupError(f"process {pid} has ended") from None
    if states <= set(_ENDED):
        raise ProcessLookupError(f"process {pid} has ended")
    return states <= set(_STOPPED)


def _thread_state(pid: int, thread: int) -> str:
    with open(f"/proc/{pid}/task/{thread}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()[0]


def die_with_parent(with_signal: int = signal.SIGKILL) -> None:
    """This process gets the signal when the thread that started it ends: also when it is stopped or hangs."""
    prctl(_SET_PDEATHSIG, with_signal)


def set_timer_slack(seconds: float) -> None:
    """How much later than asked this thread's sleeps may end (50 us unless set)."""
    prctl(_SET_TIMERSLACK, max(1, round(seconds * 1e9)))


def most_files() -> int:
    """How many open files a process may have here, if it asks for them: the hard limit."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def allow_files() -> int:
    """This process, and what it starts, may have that many from now on: who logs in is given 1,024 at first."""
    most = most_files()
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
