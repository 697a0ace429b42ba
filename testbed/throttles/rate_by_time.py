"""A dirty rate, held by taking time: for a kernel that cannot stun writers."""

from testbed.core.rounds import Throttle
from testbed.throttles import GuestTime, TrackerPlace
from testbed.throttles.auto_converge import AutoConverge


class RateByTime(AutoConverge):
    """Takes the share of time without which the last round's dirty rate would have been the one that is asked for."""

    def __init__(self, time: GuestTime, place: TrackerPlace, lack: str) -> None:
        """``lack``: why it is not held by other means."""
        super().__init__(time, place)
        self.words = f"stop and continue, since {lack}"

    def apply(self, asked: Throttle, dirty_rate: float) -> None:
        """Never less than before: the last round's rate is of a guest from which that share was taken already."""
        wanted = asked.dirty_rate or 0.0
        self._take(max(self.share, 1 - wanted / dirty_rate if dirty_rate else 0.0))
