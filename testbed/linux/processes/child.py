"""A child process and the pipes to it: started, told, heard with patience, ended, and nothing of it left.

    class Server(Child):
        def begin(self) -> None:
            if self.hear(20.0) != b"ready\n":
                raise TestbedError(f"no server: {self.last_words()}")

    with Server(partial(fabric.spawn, "esx1"), argv, log) as server:
        server.tell(b"go\n")
        server.hear(1.0)                  a line; b"" once it has ended; None when it was silent for so long

After the context there is no process, no zombie and no open pipe, however it ended: by an exception while it started,
by a signal to this process at any moment, by a child that was killed, hangs, or reads nothing of what it is told.
"""

import math
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import IO, ClassVar, Self, TypeAlias

from testbed.core.text.printable import printable
from testbed.linux.processes.interrupts import deferring
from testbed.linux.processes.lines import MOST_LINE, Lines
from testbed.linux.processes.waiting import readable, writable

Spawn: TypeAlias = Callable[..., "subprocess.Popen[bytes]"]
"""``subprocess.Popen``, or what starts a process elsewhere with the same keywords (``partial(fabric.spawn, host)``)."""
TELL_S = 5.0
"""How long a child may leave what it is told unread; a pipe holds 64 KiB more than it has read."""
LAST_BYTES = 1 << 16
"""Of a log, where its last line is looked for."""
STANDARD_ERROR = 2
"""This process's own, as the log of a child."""


class Child:
    """One process. A context manager: entering starts it, leaving ends it.

    ``log`` gets its standard error: a file, a descriptor, or (None) memory of its own, for ``last_words``. Subclasses
    fill in ``begin`` and ``leave``.
    """

    most_line: ClassVar[int] = MOST_LINE
    """Bytes: a longer line is heard in pieces."""

    def __init__(
        self, spawn: Spawn, argv: Sequence[str], log: IO[bytes] | int | None = None, pass_fds: Sequence[int] = ()
    ) -> None:
        self.argv, self.pass_fds, self._spawn = argv, pass_fds, spawn
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: Lines
        self.belongings = ExitStack()
        """What exists for the process only; closed when it is gone."""

    def __enter__(self) -> Self:
        try:
            self.start()
            self.begin()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            self.leave(error)
        finally:
            self.end()

    def start(self) -> None:
        """Starts it, as ``argv`` and ``pass_fds`` are by now."""
        if self._log is None:
            self._log = self.belongings.enter_context(os.fdopen(os.memfd_create("log"), "w+b"))
        pipe = subprocess.PIPE
        with deferring():  # or else there would be a process that nobody knows
            self._process = self._spawn(self.argv, stdin=pipe, stdout=pipe, stderr=self._log, pass_fds=self.pass_fds)
        os.set_blocking(pipe_of(self.process.stdin).fileno(), False)
        self._lines = Lines(pipe_of(self.process.stdout), self.most_line)

    def begin(self) -> None:
        """Waits for what the process has to say before anybody goes on. An exception ends it."""

    def leave(self, error: BaseException | None) -> None:
        """Lets the process finish before it is ended; ``error`` is what the context was left by."""

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """Raises ``ValueError`` before the context was entered."""
        if self._process is None:
            raise ValueError("the process was not started")
        return self._process

    @property
    def pid(self) -> int:
        """Its number. Raises ``ValueError`` before the context was entered."""
        return self.process.pid

    @property
    def alive(self) -> bool:
        """True while it runs, stopped or not."""
        return self.process.poll() is None

    def tell(self, line: bytes, timeout_s: float = TELL_S) -> bool:
        """True once the pipe has taken all of ``line``. False when the process has ended, or has read nothing for
        ``timeout_s``: it may have half of the line then, and is told nothing more.
        """
        try:
            pipe, left = pipe_of(self.process.stdin).fileno(), memoryview(line)
            while left:
                if not writable([pipe], (), timeout_s)[0]:
                    self.close_input()
                    return False
                with suppress(BlockingIOError):
                    left = left[os.write(pipe, left) :]
        except (OSError, ValueError):  # the latter of an input that was closed
            return False
        return True

    def hear(self, timeout_s: float = math.inf, *, whole: bool = False) -> bytes | None:
        """The next line with its end; after the last one what it did not end, then ``b""``; None when nothing came for
        ``timeout_s``, or (``whole``) not all of the line in it.
        """
        return self._lines.next(timeout_s, whole=whole)

    def lines(self) -> Iterator[bytes]:
        """All lines until it ends, however long that takes."""
        while line := self.hear():
            yield line

    def last_words(self, nothing: str = "it said nothing") -> str:
        """The last line of its log; ``nothing`` where there is none."""
        return nothing if self._log is None or isinstance(self._log, int) else last_line(self._log, nothing)

    def close_input(self) -> None:
        """Ends what it reads."""
        with suppress(OSError):
            pipe_of(self.process.stdin).close()

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, below 0 the signal that ended it; None when it still runs after that time."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError), ExitStack() as stack:
                pidfd = os.pidfd_open(self.pid)
                stack.callback(os.close, pidfd)
                readable([pidfd], timeout_s)
        return self.process.poll()

    def kill(self) -> None:
        """Ends it, stopped or not, and returns when it is gone. What it said before can still be heard."""
        with deferring():
            self.process.kill()
            self.process.wait()

    def end(self, grace_s: float = 0.0) -> None:
        """Ends its input, gives it ``grace_s`` to leave, kills it: then nothing of it is left. May be repeated."""
        try:
            if self._process is not None:
                self.close_input()
                self.wait(grace_s)
        finally:
            self._clear_away()

    def _clear_away(self) -> None:
        with deferring(), self.belongings:
            if self._process is not None:
                self.kill()
                self.close_input()
                pipe_of(self._process.stdout).close()


def pipe_of(stream: IO[bytes] | None) -> IO[bytes]:
    """A pipe that was asked for when the process was started, and so is there."""
    if stream is None:
        raise ValueError("the process was started without this pipe")
    return stream


def last_line(log: IO[bytes], nothing: str = "it said nothing") -> str:
    """What a process said last before it ended, out of its log, which may be open for writing only."""
    with open(f"/proc/self/fd/{log.fileno()}", "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - LAST_BYTES))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return printable(lines[-1]) if lines else nothing
