"""Auto-converge: the guest loses a share of its processor time, whatever it does with it (stop_and_continue.py)."""

from testbed.core.rounds import Throttle
from testbed.throttles import GuestTime, Mechanism, TrackerPlace, register
from testbed.throttles.stop_and_continue import MOST

STOPPING = "stop and continue, 10 ms slices"


@register("auto_converge")
class AutoConverge(Mechanism):
    """Takes the share of time that is asked for as ``level``."""

    rank = 3

    def __init__(self, time: GuestTime, place: TrackerPlace) -> None:
        self._time = time
        self.share = 0.0
        self.words = STOPPING

    def apply(self, asked: Throttle, dirty_rate: float) -> None:
        """See ``Mechanism``."""
        self._take(asked.level)

    def release(self) -> None:
        """See ``Mechanism``."""
        self._take(0.0)

    def _take(self, share: float) -> None:
        self.share = min(share, MOST)  # as much as is taken: this is what the record says
        self._time.take(self, self.share)
