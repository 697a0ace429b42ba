"""A source without hosts: the verbs of ``precopy.Source`` on a fluid guest, in virtual time.

    set-up      two round trips: TCP's, and the two agents'
    round i     sends what was dirty at the end of round i - 1: its bytes (``streams``) + round trip + a fixed cost
                meanwhile the guest runs, and what it dirtied is collected
    early look  the round ends at the first of a policy's looks that finds little enough left; that joins what is dirty
    switchover  pause ─ last scan ─ last round ─ prepare ─ commit ─ resume, the guest standing still

Not modelled: scheduling, what dirties between the last collection and the stun.
"""

from dataclasses import dataclass, replace
from math import floor

from testbed.core.errors import MigrationAborted
from testbed.core.records.switchover import ROUND_TRIPS
from testbed.core.rounds import EarlyLook, Round, RoundKind, Throttle
from testbed.core.units import PAGE_SIZE
from testbed.model.guest import FluidGuest
from testbed.model.streams import Streams

SETUP_ROUND_TRIPS = 2
"""From migrate asked until round 1: TCP's handshake, and the two agents' words to one another."""

MOST = 0.99
"""The largest share of a guest's time that is taken, whatever a policy asks for (throttles.stop_and_continue)."""
BY_TIME = frozenset({"auto_converge"})
"""Mechanisms that take a share of the guest's time, and do not look at the rate that a policy may ask for beside."""


def as_done(asked: Throttle) -> Throttle:
    """What of it the mechanism does to the guest."""
    rate = None if asked.kind in BY_TIME else asked.dirty_rate
    return replace(asked, level=min(asked.level, MOST), dirty_rate=rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Seconds that no byte explains, as measured where the prediction is for, or 0. They do not scale with anything.

    ``setup_s``: migrate asked -> round 1 begins. ``round_s``: each round, beside its bytes and one round trip.
    ``scan_s``: finding what is dirty after a round. The others are the downtime's phases of the same names, and
    ``release_s``: guest's first step -> source released. ``run_bytes``: what announces each run of adjacent pages.
    ``protect_s`` (all of memory) and ``protect_page_s`` (one page), whichever is less in all: what a scan takes longer
    where writers are stunned, since what was written is then protected again by itself.
    """

    setup_s: float = 0.0
    round_s: float = 0.0
    scan_s: float = 0.0
    pause_s: float = 0.0
    last_scan_s: float = 0.0
    prepare_s: float = 0.0
    commit_s: float = 0.0
    resume_s: float = 0.0
    release_s: float = 0.0
    run_bytes: int = 0
    protect_s: float = 0.0
    protect_page_s: float = 0.0

    def switchover_s(self, rtt_s: float) -> float:
        """What of the downtime is known beforehand, whatever there is to send."""
        phases = self.pause_s + self.last_scan_s + self.round_s + self.prepare_s + self.commit_s + self.resume_s
        return phases + ROUND_TRIPS * rtt_s


class OutOfTime(MigrationAborted):
    """The migration's timeout is over, in virtual time."""


class FluidSource:
    """Implements ``testbed.migration.precopy.Source``. ``clock`` in seconds from migrate asked; ``phases`` are the
    downtime's parts.
    """

    def __init__(
        self,
        guest: FluidGuest,
        *,
        ram_bytes: int,
        streams: Streams,
        costs: Costs,
        timeout_s: float,
        scattered: bool = False,
    ) -> None:
        """``scattered``: the guest's writes lie anywhere, so what is dirty comes in many runs."""
        self._guest, self._streams, self._rtt_s, self._costs = guest, streams, streams.rtt_s, costs
        self._pending, self._timeout_s, self._scattered = ram_bytes, timeout_s, scattered
        self._throttle: Throttle | None = None
        self._sent = 0.0
        self._known_s = costs.switchover_s(self._rtt_s)
        self.clock = costs.setup_s + SETUP_ROUND_TRIPS * self._rtt_s
        self.phases: dict[str, float] = {}

    def copy_round(self, index: int, kind: RoundKind, look: EarlyLook | None = None) -> Round:
        """See ``Source``. Raises ``OutOfTime`` (a ``MigrationAborted``)."""
        if kind is RoundKind.STOP_AND_COPY:
            return self._stunned(index)
        size = self._pending if look is None else self._until(look)
        sending = self._sending(size)
        self._in_time(sending)
        return self._beside_the_guest(index, size, sending)

    def throttle(self, throttle: Throttle | None) -> None:
        """From the next round on."""
        self._throttle = throttle and as_done(throttle)

    def stun_guest(self) -> None:
        """The guest stands still once the costs' ``pause_s`` have passed."""
        self._pass("pause", self._costs.pause_s)

    def resume_guest(self) -> None:
        """The guest runs while a round does; there is nothing to resume."""

    def prepare(self) -> None:
        """The destination has all of the guest after a round trip and the costs' ``prepare_s``; until then there is a
        timeout. Raises ``OutOfTime``.
        """
        self._in_time(self._rtt_s + self._costs.prepare_s)
        self._pass("prepare", self._rtt_s + self._costs.prepare_s)

    def commit(self) -> None:
        """Half a round trip until the destination has it; its first step ends the downtime."""
        self._pass("commit", self._rtt_s / 2 + self._costs.commit_s)
        self._pass("resume", self._costs.resume_s)

    def abandon(self, reason: str) -> None:
        """Nobody is there to be told."""

    def _protecting(self, size: int) -> float:
        """Seconds to protect again about as much as was sent, where first writes are stunned."""
        if self._throttle is None or self._throttle.dirty_rate is None:
            return 0.0
        return min(self._costs.protect_s, size / PAGE_SIZE * self._costs.protect_page_s)

    def _sending(self, size: int) -> float:
        """Seconds for so many of the bytes that are pending."""
        whole = size * self._with_tables()
        sending = self._streams.seconds(whole, after=self._sent)
        self._sent += whole
        return max(0.0, sending + self._rtt_s + self._costs.round_s)

    def _with_tables(self) -> float:
        """Bytes for each of what is pending, with those that announce them. Of pages that are dirty by chance a run
        begins at each whose neighbour before it is clean.
        """
        if not self._pending:
            return 1.0
        clean = max(0.0, 1 - self._pending / self._guest.spread_bytes)
        runs = self._pending / PAGE_SIZE * clean if self._scattered else 1.0
        return (self._pending + runs * self._costs.run_bytes) / self._pending

    def _until(self, look: EarlyLook) -> int:
        """Bytes of what is pending that are sent when the policy first finds little enough left; all, if never."""
        rate = self._streams.rate_after(self._sent) / self._with_tables()
        looks = floor(max(0.0, self._pending / rate - look.within) / look.every) + 1
        return min(self._pending, round(looks * look.every * rate / PAGE_SIZE) * PAGE_SIZE)

    def _stunned(self, index: int) -> Round:
        sending = self._sending(self._pending)
        self._in_time(self._costs.last_scan_s + sending)
        self._pass("last_scan", self._costs.last_scan_s)
        made = Round(
            index=index,
            kind=RoundKind.STOP_AND_COPY,
            started_s=self.clock,
            duration_s=sending,
            sent_bytes=self._pending,
            dirtied_bytes=0,
        )
        self._pass("last_round", sending)
        self._pending = 0
        return made

    def _beside_the_guest(self, index: int, size: int, sending: float) -> Round:
        scan = self._costs.scan_s + self._protecting(size)
        duration, unsent = sending + scan, self._pending - size
        did, wanted = self._guest.operations, self._guest.wanted
        self._guest.run(duration, self._throttle)
        held = self._guest.held_s(self._throttle)
        scan, duration = scan + held, duration + held
        did, wanted = self._guest.operations - did, self._guest.wanted - wanted
        begun, self.clock = self.clock, self.clock + duration
        self._pending = self._guest.collect(unsent)
        return Round(
            index=index,
            kind=RoundKind.PRECOPY,
            started_s=begun,
            duration_s=duration,
            scan_s=scan,
            sent_bytes=size,
            dirtied_bytes=self._pending,
            unsent_bytes=min(unsent, self._pending),
            throttle=max(0.0, 1 - did / wanted) if self._throttle and wanted else 0.0,
            switchover_s=self._known_s,
        )

    def _in_time(self, duration: float) -> None:
        """Raises ``OutOfTime`` when the timeout is over before so many seconds are, as a run then cancels; after commit
        nobody can.
        """
        if self.clock + duration > self._timeout_s:
            self.clock = self._timeout_s
            raise OutOfTime("the migration took longer than its timeout")

    def _pass(self, phase: str, duration: float) -> None:
        self.phases[phase] = duration
        self.clock += duration
