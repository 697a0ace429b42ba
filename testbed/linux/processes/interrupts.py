"""SIGINT, SIGTERM and SIGHUP: where they break off what is being done, and where they may only be noted.

with interruptible() as signals:        the first raises Interrupted wherever the main thread is, later ones do nothing
    with noting() as noted:             nothing here is broken off; noted.why says that it was asked for
        ...
    signals.again()                     from here on the next one is heard

Signals are the main thread's: in another one nothing of this does anything.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import sleep
from types import CodeType, FrameType
from typing import Any

from testbed.core.errors import Interrupted

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ENDING = (signal.SIGTERM, signal.SIGHUP)
"""Those that no prompt has a use for."""
_LOOK_S = 0.05


@dataclass(slots=True)
class Signals:
    """What ``interruptible`` heard. ``deaf``: one was heard, and none after it is."""

    deaf: bool = False

    def again(self) -> None:
        """From here on the next one is heard, whether or not there was one before."""
        self.deaf = False

    def hear(self, number: int, _frame: FrameType | None) -> None:
        """The handler. Raises ``Interrupted``."""
        if not self.deaf:
            self.deaf = True
            raise Interrupted(said(number))


@dataclass(slots=True)
class Noted:
    """``why`` is empty until a signal came: ``interrupted by SIGINT``."""

    why: str = ""

    def hear(self, number: int, _frame: FrameType | None) -> None:
        """The handler: the first signal is remembered, those after it are not."""
        self.why = self.why or said(number)

    def wait(self, seconds: float) -> None:
        """So long, or until a signal came."""
        for _ in range(max(0, round(seconds / _LOOK_S))):
            if self.why:
                return
            sleep(_LOOK_S)


@contextmanager
def interruptible(numbers: Sequence[signal.Signals] = STOPPING) -> Iterator[Signals]:
    """The first of these signals raises ``Interrupted``; those that come while that is being cleaned up are ignored."""
    signals = Signals()
    with _handled(signals.hear, numbers):
        yield signals


@contextmanager
def noting(into: Noted | None = None) -> Iterator[Noted]:
    """Nothing is broken off; whoever is within asks ``Noted.why``, and decides."""
    noted = into or Noted()
    with _handled(noted.hear, STOPPING):
        yield noted


@contextmanager
def deferring() -> Iterator[None]:
    """Nothing is broken off here: a signal that comes meanwhile is handled as ever once this is over."""
    came: list[int] = []
    try:
        with _handled(lambda number, _frame: came.append(number), STOPPING):
            yield
    finally:
        for number in came:
            signal.raise_signal(number)


@contextmanager
def keyboard(signals: Signals, prompt: CodeType) -> Iterator[None]:
    """For a prompt, by its code: in calls of it Ctrl-C is Python's own ``KeyboardInterrupt``, and each of the others is
    raised until the prompt is left, since what reads lines may swallow one, or begin to wait when it has just come.

    Outside of the prompt nothing is raised: whoever takes down what it stood on is not broken off by one more.
    """
    # What reads lines may call this while one of these is on its way out of it already, and then Python calls nothing
    # that is written in C without taking that one for its fault: so they are made before.
    ended = {int(number): Interrupted(said(number)) for number in STOPPING}

    def hear(number: int, frame: FrameType | None) -> None:
        if not _within(prompt, frame):
            return
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        signals.deaf = True
        raise ended[number]

    with _handled(hear, STOPPING), _insisting(ENDING):
        yield


def _within(code: CodeType, frame: FrameType | None) -> bool:
    """Whether that frame is of a call of this code, or of what it has called."""
    while frame is not None:
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False


@contextmanager
def _insisting(numbers: Sequence[signal.Signals]) -> Iterator[None]:
    """One of these that comes within is sent once more, and again, until this is left."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    left, main = threading.Event(), threading.get_ident()

    def insist() -> None:
        while came := os.read(reading, 1):
            while came[0] in numbers and not left.wait(_LOOK_S):
                signal.pthread_kill(main, came[0])

    before = signal.set_wakeup_fd(writing)
    thread = threading.Thread(target=insist, daemon=True, name="signals")
    thread.start()
    try:
        yield
    finally:
        left.set()
        signal.set_wakeup_fd(before)
        os.close(writing)
        thread.join()
        os.close(reading)


def said(number: int) -> str:
    """The signal in words: ``interrupted by SIGINT``."""
    return f"interrupted by {signal.Signals(number).name}"


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None], numbers: Sequence[signal.Signals]) -> Iterator[None]:
    """SIGHUP stays ignored where it was before, as ``nohup`` asks for."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wanted = [each for each in numbers if (each, signal.getsignal(each)) != (signal.SIGHUP, signal.SIG_IGN)]
    before: dict[signal.Signals, Any] = {}
    try:
        for number in wanted:
            before[number] = signal.signal(number, handler)
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
