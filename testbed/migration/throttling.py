"""What slows the guest now, and how far: the mechanism that a policy asked for, and whoever throttles it by hand.

policy ──▶ apply ──▶ Mechanism (testbed.throttles) ──▶ TrackedMemory      writers wait, if its tracker delays them
                                   └──────┬──────────▶ StopAndContinue    the guest loses the larger of the shares
hand ──▶ by_hand ─────────────────────────┘                               that both ask for
"""

import threading
from time import monotonic

from testbed.core.rounds import Throttle
from testbed.migration.tracked_memory import TrackedMemory
from testbed.throttles import Mechanism, registry
from testbed.throttles.auto_converge import STOPPING
from testbed.throttles.stop_and_continue import StopAndContinue

HAND = "by hand"


class Throttling:
    """``mechanism`` is what acts, or acted last, in the record's words; None before anything did."""

    def __init__(self, time: StopAndContinue, memory: TrackedMemory) -> None:
        self._time, self._memory = time, memory
        self._mechanisms: dict[str, Mechanism] = {}
        self._acting: Mechanism | None = None
        self.mechanism: str | None = None
        self._since, self._delayed_s = 0.0, 0.0
        self._hand, self._hand_since, self._hand_s = 0.0, 0.0, 0.0
        self._lock = threading.Lock()
        registry.items()  # their modules are loaded now, and not while a guest waits for one of them

    @property
    def install_s(self) -> float:
        """For how long the guest stood still for a change of trackers."""
        return self._memory.install_s

    def apply(self, asked: Throttle, dirty_rate: float) -> None:
        """Slow the guest as told. ``dirty_rate`` is the last round's. Raises ``ScenarioError`` for a kind there is none
        of, ``TestbedError`` when it cannot be slowed so.
        """
        mechanism = self._mechanisms.get(asked.kind) or registry.get(asked.kind)(self._time, self._memory)
        if self._acting is not None and self._acting is not mechanism:
            self._acting.release()
        self._mechanisms[asked.kind] = self._acting = mechanism
        mechanism.apply(asked, dirty_rate)
        with self._lock:
            self.mechanism = mechanism.words

    def by_hand(self, share: float) -> bool:
        """From another thread: 0..1 of the guest's time is taken at once, whatever the policy asks beside; 0 releases
        it. False, and nothing done, once the guest is to be stunned or the migration is over.
        """
        with self._lock:
            if not self._time.take(HAND, share):
                return False
            self._set_hand(share)
            if share and self.mechanism is None:
                self.mechanism = f"{STOPPING}, {HAND}"
            return True

    def release(self) -> None:
        """No policy slows the guest any more, and who waits for a delay waits no longer. What a hand takes is a hand's
        to release, until ``stop_taking_time``.
        """
        if self._acting is not None:
            self._acting.release()

    def stop_taking_time(self) -> None:
        """For good, so that nothing resumes a guest that is to be stunned, or slows one that stays. Writers go on being
        delayed.
        """
        self._time.end()
        with self._lock:
            self._set_hand(0.0)

    def begin_round(self) -> None:
        """What is taken from here on is this round's."""
        with self._lock:
            self._set_hand(self._hand)
            self._hand_s = 0.0
            self._since, self._delayed_s = self._hand_since, self._memory.delayed_s

    def taken(self) -> float:
        """0..1: the share of this round that the guest was kept from running, or its writers from writing."""
        share = self._acting.share if self._acting is not None else 0.0
        with self._lock:
            self._set_hand(self._hand)
            elapsed = self._hand_since - self._since
        if elapsed <= 0:
            return share
        delayed, by_hand = (self._memory.delayed_s - self._delayed_s) / elapsed, self._hand_s / elapsed
        return min(1.0, max(share, delayed, by_hand))

    def _set_hand(self, share: float) -> None:
        """From now on; until now it was another share, which counts as long as it lasted."""
        now = monotonic()
        self._hand_s += self._hand * (now - self._hand_since)
        self._hand, self._hand_since = share, now
