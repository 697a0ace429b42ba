"""A dirty rate, held by a tracker that delays first writes: what sdps and dirty_limit have in common.

a rate is asked for ──▶ the kernel can stun writers? ──▶ StunnedWriters   the tracker takes its place, and delays
          │ no                         │ no
          ▼                            ▼
     AutoConverge (level)          RateByTime
"""

from typing import ClassVar

from testbed.core.rounds import Throttle
from testbed.dirty import Tracker
from testbed.throttles import GuestTime, Mechanism, TrackerPlace
from testbed.throttles.auto_converge import AutoConverge
from testbed.throttles.rate_by_time import RateByTime


class StunnedWriters(Mechanism):
    """Delays first writes: by the tracker that is there if it can, and else by ``tracker`` in its place."""

    share = 0.0

    def __init__(self, place: TrackerPlace, tracker: type[Tracker]) -> None:
        self._place, self._tracker = place, tracker
        self.words = tracker.works

    def apply(self, asked: Throttle, dirty_rate: float) -> None:
        """See ``Mechanism``. The tracker stays when this is released, since it tracks as well as the one before."""
        if not self._place.delay(asked.dirty_rate):
            self._place.exchange(self._tracker)
            self._place.delay(asked.dirty_rate)

    def release(self) -> None:
        """See ``Mechanism``."""
        self._place.delay(None)


class HeldRate(Mechanism):
    """To be derived from: ``tracker`` is the one that delays."""

    tracker: ClassVar[type[Tracker]]

    def __init__(self, time: GuestTime, place: TrackerPlace) -> None:
        lack = self.tracker.lacks()
        self._level = AutoConverge(time, place)
        self._rate: Mechanism = RateByTime(time, place, lack) if lack else StunnedWriters(place, self.tracker)
        self._acting: Mechanism = self._level
        self.words, self.share = "", 0.0

    def apply(self, asked: Throttle, dirty_rate: float) -> None:
        """See ``Mechanism``."""
        acting = self._level if asked.dirty_rate is None else self._rate
        if acting is not self._acting:
            self._acting.release()
            self._acting = acting
        acting.apply(asked, dirty_rate)
        self.words, self.share = acting.words, acting.share

    def release(self) -> None:
        """See ``Mechanism``."""
        self._acting.release()
        self.share = 0.0
