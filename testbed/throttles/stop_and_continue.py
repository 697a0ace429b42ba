"""A share of a guest's time, whatever it would do with it: who wants one says so, and the largest is taken.

    run 10 ms ─▶ stand still for share / (1 - share) x 10 ms ─▶ run 10 ms ─▶ ...

As QEMU's throttle does it (system/cpu-throttle.c: a slice of 10 ms, then a sleep that makes the share), by stopping the
whole guest. A quota of processor time (cgroups) would not do: it slows only a guest that uses more than the quota, and
a guest that writes at a set rate uses little. The time is stolen: work that was due in it is not made up for.
"""

import threading
from contextlib import suppress
from typing import Protocol

from testbed.core.errors import TestbedError

SLICE_S = 0.01
"""QEMU's CPU_THROTTLE_TIMESLICE_NS."""
MOST = 0.99
"""The largest share."""


class Freezable(Protocol):
    """Whatever can be frozen and resumed from outside."""

    def freeze(self) -> None:
        """Returns when it stands still. Raises ``TestbedError`` when that cannot be had."""
        ...

    def resume(self) -> None:
        """Lets it run; harmless when it runs."""
        ...


class StopAndContinue:
    """Implements ``testbed.throttles.GuestTime``, from any thread, until ``end``."""

    def __init__(self, guest: Freezable) -> None:
        self._guest = guest
        self._shares: dict[object, float] = {}
        self._share = 0.0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._ended = False
        self._thread: threading.Thread | None = None
        self.freezing = threading.Lock()
        """Held while the guest is frozen by this: whoever freezes it too would be resumed with it."""

    def take(self, who: object, share: float) -> bool:
        """See ``GuestTime``; from the next slice on. If nobody asks for any more, the guest runs when this returns."""
        with self._lock:
            if self._ended:
                return False
            self._shares[who] = min(share, MOST)
            self._share = max(self._shares.values())
            if self._share == 0:
                self._release()
            elif self._thread is None:
                self._stop.clear()
                self._thread = threading.Thread(target=self._run, daemon=True, name="stop-and-continue")
                self._thread.start()
            return True

    def end(self) -> None:
        """When this returns the guest runs, and this will not stop it again, whoever asks for it."""
        with self._lock:
            self._ended = True
            self._release()

    def _release(self) -> None:
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stop.wait(SLICE_S):
            with self.freezing:
                try:
                    with suppress(TestbedError):  # it runs on: whoever needs it finds what it has
                        self._guest.freeze()
                        share = self._share
                        self._stop.wait(SLICE_S * share / (1 - share))
                finally:
                    self._guest.resume()
