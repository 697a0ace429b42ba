"""Which throttle acts on the guest now, and how far: the source's answer to what a policy asks.

    sdps, dirty_limit    writers are stunned at their first write to a page (``throttles.sdps``), which becomes the
                         tracker: the guest stands still for a moment while one gives way to the other
    auto_converge        the whole guest stands still for a share of the time (``throttles.auto_converge``)

Where the kernel cannot stun writers, their share of time is taken instead, and ``mechanism`` says so.
"""

import threading
from time import monotonic

from testbed.core.errors import ScenarioError
from testbed.core.extents import Extents
from testbed.core.rounds import THROTTLES, Throttle
from testbed.dirty import Copying, Tracker
from testbed.migration.guest import HostedGuest
from testbed.throttles.auto_converge import AutoConverge
from testbed.throttles.sdps import StunDuringPageSend

STOPPING = "stop and continue, 10 ms slices"


class Throttling:
    """Holds the guest's tracker, since a throttle may take its place. ``mechanism`` is what acts, None before anything
    did; ``install_s`` how long the guest stood still for a change of trackers.
    """

    def __init__(self, guest: HostedGuest, tracker: Tracker) -> None:
        self.guest, self.tracker = guest, tracker
        self.mechanism: str | None = None
        self.install_s = 0.0
        self._time = AutoConverge(guest)
        self._level, self._stunned_s, self._since = 0.0, 0.0, 0.0
        self._hand, self._over = 0.0, False
        self._hand_since, self._hand_s = 0.0, 0.0
        self._lock = threading.RLock()

    def apply(self, throttle: Throttle, dirty_rate: float) -> Extents:
        """Slow the guest as told. ``dirty_rate`` is the last round's. Returns what was written while trackers changed.

        Raises ``ScenarioError`` for a kind there is none of.
        """
        if throttle.kind not in THROTTLES:
            raise ScenarioError(f"no throttle is called '{throttle.kind}'; there are: {', '.join(THROTTLES)}")
        if throttle.kind == "auto_converge" or throttle.dirty_rate is None:
            return self._take_time(throttle.level, STOPPING)
        lack = StunDuringPageSend.probe()
        if lack is not None:
            share = max(0.0, 1 - throttle.dirty_rate / dirty_rate) if dirty_rate else 0.0
            return self._take_time(max(share, self._level), f"stop and continue, since {lack}")
        return self._stun_writers(throttle.dirty_rate)

    def collect(self, unsent: Extents | None = None) -> Extents:
        """As the tracker's, and with it ``unsent``: what it found before and has not been sent. Not while the guest
        stands still for its share: a tracker that stops it for a moment would find it running again in the middle.
        """
        with self._time.still:
            if unsent is None:
                return self.tracker.collect()
            if isinstance(self.tracker, Copying):
                self.tracker.keep(unsent)
            return self.tracker.collect().union(unsent)

    def by_hand(self, share: float) -> bool:
        """From another thread: 0..1 of the guest's time is taken at once, whatever the policy asks beside; 0 releases
        it. False, and nothing done, once the guest is to be stunned or the migration is over.
        """
        with self._lock:
            if not self._over:
                self._set_hand(share)
                if share and self.mechanism is None:
                    self.mechanism = f"{STOPPING}, by hand"
                self._take()
            return not self._over

    def release(self) -> None:
        """The guest runs as it likes again."""
        with self._lock:
            self._level = 0.0
            self._set_hand(0.0)
            self._take()
        self.stop_delaying()

    def stop_delaying(self) -> None:
        """Writers wait no longer, who waits now neither; what they write is still noted as dirty."""
        if isinstance(self.tracker, StunDuringPageSend):
            self.tracker.hold(None)

    def stop_taking_time(self) -> None:
        """So that nothing resumes a guest that is to be stunned."""
        with self._lock:
            self._over, self._level = True, 0.0
            self._set_hand(0.0)
            self._take()

    def close(self) -> None:
        """The guest runs, and nothing of this migration will slow it or track it again."""
        self.stop_taking_time()
        self.tracker.close()

    def begin_round(self) -> None:
        """What is taken from here on is this round's."""
        with self._lock:
            self._set_hand(self._hand)
            self._hand_s = 0.0
            self._since, self._stunned_s = self._hand_since, self._stunned()

    def taken(self) -> float:
        """0..1: the share of this round that the guest was kept from running, or its writers from writing."""
        with self._lock:
            self._set_hand(self._hand)
            elapsed = self._hand_since - self._since
        if elapsed <= 0:
            return self._level
        stunned, by_hand = (self._stunned() - self._stunned_s) / elapsed, self._hand_s / elapsed
        return min(1.0, max(self._level, stunned, by_hand))

    def _set_hand(self, share: float) -> None:
        """From now on; until now it was another share, which counts as long as it lasted."""
        now = monotonic()
        self._hand_s += self._hand * (now - self._hand_since)
        self._hand, self._hand_since = share, now

    def _stunned(self) -> float:
        return self.tracker.stunned_s if isinstance(self.tracker, StunDuringPageSend) else 0.0

    def _take_time(self, share: float, mechanism: str) -> Extents:
        self.stop_delaying()
        with self._lock:
            self.mechanism, self._level = mechanism, share
            self._take()
        return Extents.none()

    def _take(self) -> None:
        """The larger of what the policy and a hand ask for."""
        share = max(self._level, self._hand)
        if share:
            self._time.hold(share)
        else:
            self._time.release()

    def _stun_writers(self, rate: float) -> Extents:
        with self._lock:
            self._level = 0.0
            self._take()
        written = Extents.none()
        if not isinstance(self.tracker, StunDuringPageSend):
            written = self._install()
        if isinstance(self.tracker, StunDuringPageSend):
            self.tracker.hold(rate)
        self.mechanism = "synchronous write-protection, answered late"
        return written

    def _install(self) -> Extents:
        """The stunning tracker in place of the one before: between the two the guest stands still, so nothing is
        missed; what the old one still held is returned.
        """
        ports = self.guest.ports()
        stunning = StunDuringPageSend(ports)
        begun = monotonic()
        with self._time.still:
            return self._exchange(stunning, begun)

    def _exchange(self, stunning: StunDuringPageSend, begun: float) -> Extents:
        self.guest.pause()
        try:
            written, before = self.tracker.collect(), self.tracker
            self.tracker = stunning  # whatever breaks from here on, it is this one that is to be closed
            before.close()
            stunning.start()
        finally:
            self.guest.resume()
        self.install_s = monotonic() - begun
        return written
