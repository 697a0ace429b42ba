"""Processes that end with this one, in whatever way it ends."""

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import IO

APART = ("unshare", "--mount", "--propagation", "private")
"""Before a command of root's: what it mounts is mounted for it alone and goes with it, however it ends."""
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
Stream = int | IO[bytes] | None
_waited_for: "list[subprocess.Popen[bytes]]" = []
"""Children that were asked to end, and have not."""


def start(
    command: Sequence[str],
    *,
    stdout: Stream = None,
    stderr: Stream = None,
    env: Mapping[str, str] | None = None,
    last: int = signal.SIGTERM,
    pass_fds: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """A process without input, deaf to this terminal's Ctrl-C, that gets ``last`` when this one is gone."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env={**os.environ, **(env or {})},
        pass_fds=pass_fds,
        start_new_session=True,
        preexec_fn=_dies_with(os.getpid(), last),  # noqa: PLW1509 - this program has one thread
    )


def _dies_with(parent: int, last: int) -> Callable[[], None]:
    def before() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, last, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return before


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """Ctrl-C's handler. The first one ends what is under way; whoever presses once more cannot wait for a child, and
    interrupts nothing of what is left to do.
    """
    signal.signal(signal.SIGINT, _hurry)
    raise KeyboardInterrupt


def _hurry(_number: int, _frame: FrameType | None) -> None:
    for child in _waited_for:
        _kill_group(child)


@contextmanager
def ended(child: "subprocess.Popen[bytes]", patience_s: float = 20.0) -> Iterator[None]:
    """Within it the child may run; behind it nothing of its group does."""
    try:
        yield
    finally:
        _waited_for.append(child)
        if child.poll() is None:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(patience_s)
        _kill_group(child)
        child.wait()
        _waited_for.remove(child)


def _kill_group(child: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
