"""How far a run is and how long it will take: a value that events change, for whatever shows it.

Where there is a model, it has said how long each migration takes. Where there is none, or a migration outlasts it, the
rest of a pre-copy is a geometric series: what is left takes t = left / bandwidth, in that time t x dirty_rate is
dirtied anew, and so on, so with r = dirty_rate / bandwidth < 1 it ends after t / (1 - r) at the latest (Clark 2005,
section 3; the policy stops earlier). With r >= 1 nobody knows, and nothing is said; nor is it within round 1, when
nothing is known of r.
"""

from dataclasses import dataclass, field

from testbed.core.events import (
    Event,
    MigrationFinished,
    MigrationStarted,
    PhaseChanged,
    Progress,
    RoundFinished,
    Sampled,
)
from testbed.core.rounds import RoundKind


@dataclass(slots=True, kw_only=True)
class Outlook:
    """What is known after the events so far. Times are of the monotonic clock, rates bytes per second."""

    name: str = ""
    index: int = 0
    total: int = 0
    phase: str = ""
    detail: str = ""
    round: int = 0
    sent_bytes: int = 0
    round_bytes: int = 0
    dirty_rate: float | None = None
    throttle: float = 0.0
    link_rate: float | None = None
    guest_rate: float | None = None
    began: float = 0.0
    asked: float | None = None
    now: float = 0.0
    expected_s: float | None = None
    others_s: float | None = None
    _sampled: Sampled | None = None
    _round_began: float = 0.0
    _lasted: dict[int, float] = field(default_factory=dict)

    def update(self, event: Event) -> None:
        """Takes an event in."""
        self.now = max(self.now, event.at)
        match event:
            case MigrationStarted():
                self._begin(event)
            case PhaseChanged():
                self.phase, self.detail = event.phase, event.detail
                self._round_began = event.at
                self.asked = event.at if event.phase == "precopy" else self.asked
            case Progress():
                self._progress(event)
            case RoundFinished():
                if event.round.kind is RoundKind.PRECOPY:
                    self.dirty_rate, self.throttle = event.round.dirty_rate, event.round.throttle
                self._round_began = event.at
                self.sent_bytes, self.round_bytes = 0, event.round.dirtied_bytes
            case Sampled():
                self._sample(event)
            case MigrationFinished():
                self._lasted[self.index] = event.at - self.began

    @property
    def rate(self) -> float | None:
        """Bytes per second in this round; None before anything was sent."""
        elapsed = self.now - self._round_began
        return self.sent_bytes / elapsed if self.sent_bytes and elapsed > 0 else None

    @property
    def left_bytes(self) -> int:
        """What this round has still to send."""
        return max(0, self.round_bytes - self.sent_bytes)

    @property
    def left_s(self) -> float | None:
        """Seconds until this migration has ended, at most; None if nothing says so."""
        if self.expected_s is not None and self.asked is not None and self.now < self.asked + self.expected_s:
            return self.asked + self.expected_s - self.now
        if not self.rate or self.dirty_rate is None:
            return None
        ratio = self.dirty_rate / self.rate
        return self.left_bytes / self.rate / (1 - ratio) if ratio < 1 else None

    @property
    def all_left_s(self) -> float | None:
        """Seconds until the whole matrix is done: the others as the model has them, or, where there is none, as long
        as those that are done. None if nothing says how long this one will take.
        """
        others, left, spent = self.total - self.index, self.left_s, self.now - self.began
        lasted = list(self._lasted.values())
        if left is None and lasted:
            left = max(0.0, sum(lasted) / len(lasted) - spent)
        if left is None or not others:
            return left
        if self.others_s is not None:
            return left + self.others_s
        lasted.append(spent + left)
        return left + others * sum(lasted) / len(lasted)

    def _begin(self, event: MigrationStarted) -> None:
        self.name, self.index, self.total = event.name, event.index, event.total
        self.phase, self.detail, self.round = "", "", 0
        self.sent_bytes, self.round_bytes, self.dirty_rate = 0, 0, None
        self.throttle, self.link_rate, self.guest_rate, self._sampled = 0.0, None, None, None
        self.began = self._round_began = event.at
        self.asked, self.expected_s, self.others_s = None, event.expected_s, event.others_s

    def _sample(self, event: Sampled) -> None:
        """Rates since the one before; both counters begin anew with each migration."""
        before, self._sampled = self._sampled, event
        if before is not None and event.at > before.at and event.link_bytes >= before.link_bytes:
            elapsed = event.at - before.at
            self.link_rate = (event.link_bytes - before.link_bytes) / elapsed
            self.guest_rate = max(0, event.operations - before.operations) / elapsed

    def _progress(self, event: Progress) -> None:
        self.round, self.sent_bytes, self.round_bytes = event.round, event.sent_bytes, event.round_bytes
