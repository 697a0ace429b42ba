"""Auto-converge: the guest loses a share of its processor time, whatever it does with it.

    run 10 ms ─▶ stand still for share / (1 - share) x 10 ms ─▶ run 10 ms ─▶ ...

As QEMU's throttle does it (system/cpu-throttle.c: a slice of 10 ms, then a sleep that makes the share), by stopping the
whole guest. A quota of processor time (cgroups) would not do: it slows only a guest that uses more than the quota, and
a guest that writes at a set rate uses little. The time is stolen: work that was due in it is not made up for.
"""

import threading
from typing import Protocol

SLICE_S = 0.01
"""QEMU's CPU_THROTTLE_TIMESLICE_NS."""


class Stoppable(Protocol):
    """Whatever can be stopped and resumed from outside."""

    def pause(self) -> None:
        """Returns when it stands still."""
        ...

    def resume(self) -> None:
        """Lets it run."""
        ...


class AutoConverge:
    """Takes ``hold``'s share of the guest's time until ``release``, which leaves it running."""

    def __init__(self, guest: Stoppable) -> None:
        self._guest = guest
        self._share = 0.0
        self._end = threading.Event()
        self.still = threading.Lock()
        """Held while the guest stands still by this: whoever stops it too would be resumed with it."""
        self._thread: threading.Thread | None = None

    def hold(self, share: float) -> None:
        """0..1, from the next slice on."""
        self._share = min(share, 0.99)
        if self._thread is None:
            self._end.clear()
            self._thread = threading.Thread(target=self._take, daemon=True, name="auto-converge")
            self._thread.start()

    def release(self) -> None:
        """Returns when the guest runs and will not be stopped again by this."""
        if self._thread is not None:
            self._end.set()
            self._thread.join()
            self._thread = None

    def _take(self) -> None:
        while not self._end.wait(SLICE_S):
            with self.still:
                self._guest.pause()
                try:
                    self._end.wait(SLICE_S * self._share / (1 - self._share))
                finally:
                    self._guest.resume()
