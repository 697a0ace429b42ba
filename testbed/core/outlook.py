"""How far each migration of a run is and how long it will take: values that events change, for whatever shows them.

Where there is a model, it has said how long each migration takes. Where there is none, or a migration outlasts it, the
rest of a pre-copy is a geometric series: what is left takes t = left / bandwidth, in that time t x dirty_rate is
dirtied anew, and so on, so with r = dirty_rate / bandwidth < 1 it ends after t / (1 - r) at the latest (Clark 2005,
section 3; the policy stops earlier). With r >= 1 nobody knows, and nothing is said; nor is it within round 1, when
nothing is known of r.
"""

from dataclasses import dataclass, field

from testbed.core.events import (
    Controlled,
    Event,
    MigrationFinished,
    MigrationStarted,
    PhaseChanged,
    Progress,
    RoundFinished,
    Sampled,
)
from testbed.core.migration_key import MigrationKey
from testbed.core.rounds import RoundKind


@dataclass(slots=True, kw_only=True)
class Outlook:
    """What is known of one migration after the events so far. Times are of the monotonic clock, rates bytes per
    second.
    """

    name: str = ""
    index: int = 0
    total: int = 0
    phase: str = ""
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
    over: bool = False
    lasted: dict[MigrationKey, float] = field(default_factory=dict)
    """Seconds of each migration of the run that has ended; one table for all of them."""
    _sampled: Sampled | None = None
    _round_began: float = 0.0

    def update(self, event: Event) -> None:
        """Takes an event of this migration in."""
        self.now = max(self.now, event.at)
        match event:
            case MigrationStarted():
                self._begin(event)
            case PhaseChanged():
                self.phase = event.phase
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
                self.over, self.lasted[event.migration] = True, event.at - self.began

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
        lasted = list(self.lasted.values())
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
        self.began = self._round_began = event.at
        self.expected_s, self.others_s = event.expected_s, event.others_s

    def _sample(self, event: Sampled) -> None:
        """Rates since the one before."""
        before, self._sampled = self._sampled, event
        if before is not None and event.at > before.at and event.link_bytes >= before.link_bytes:
            elapsed = event.at - before.at
            self.link_rate = (event.link_bytes - before.link_bytes) / elapsed
            self.guest_rate = max(0, event.operations - before.operations) / elapsed

    def _progress(self, event: Progress) -> None:
        self.round, self.sent_bytes, self.round_bytes = event.round, event.sent_bytes, event.round_bytes


class Outlooks:
    """An ``Outlook`` for each migration of a run, whether they come one after the other or several at once."""

    def __init__(self) -> None:
        self._known: dict[MigrationKey, Outlook] = {}
        self._lasted: dict[MigrationKey, float] = {}

    def update(self, event: Event) -> None:
        """Takes an event in, for the migration that it is of. One that begins anew is known no more. An order by hand
        tells nothing, and may name any.
        """
        if isinstance(event, Controlled):
            return
        if isinstance(event, MigrationStarted):
            self._known.pop(event.migration, None)
        self.of(event.migration).update(event)

    def of(self, migration: MigrationKey) -> Outlook:
        """What is known of that one; of one that nothing was heard of, nothing."""
        return self._known.setdefault(migration, Outlook(lasted=self._lasted))

    @property
    def latest(self) -> Outlook:
        """The outlook of the migration that began last of those under way; where none is, of the last that was."""
        known = list(self._known.values()) or [Outlook()]
        return next((each for each in reversed(known) if not each.over), known[-1])
