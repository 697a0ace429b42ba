"""A source without hosts: the verbs of ``precopy.Source`` on a fluid guest, in virtual time.

    round i     sends what was dirty at the end of round i - 1:  bytes / goodput + round trip + fixed cost of a round
                meanwhile the guest runs, and what it dirtied is collected
    switchover  pause ─ last scan ─ last round ─ prepare ─ commit ─ resume, the guest standing still

Not modelled: slow start, scheduling, loss, what dirties between the last collection and the pause.
"""

from dataclasses import dataclass

from testbed.core.errors import MigrationAborted
from testbed.core.rounds import Round, RoundKind, Throttle
from testbed.core.units import PAGE_SIZE
from testbed.model.guest import FluidGuest

MOST_ROUNDS = 500
"""A migration that has not ended by then never will: it takes 197 even at rho = 1."""


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


class NeverConverges(MigrationAborted):
    """So many rounds were made that there is no end to them."""


class OutOfTime(MigrationAborted):
    """The migration's timeout is over, in virtual time."""


class FluidSource:
    """Implements ``testbed.migration.precopy.Source``. ``goodput`` in bytes per second; ``clock`` in seconds from
    migrate asked; ``phases`` are the downtime's parts.
    """

    def __init__(
        self,
        guest: FluidGuest,
        *,
        ram_bytes: int,
        goodput: float,
        rtt_s: float,
        costs: Costs,
        timeout_s: float,
        scattered: bool = False,
    ) -> None:
        """``scattered``: the guest's writes lie anywhere, so what is dirty comes in many runs."""
        self._guest, self._goodput, self._rtt_s, self._costs = guest, goodput, rtt_s, costs
        self._pending, self._timeout_s, self._scattered = ram_bytes, timeout_s, scattered
        self._throttle: Throttle | None = None
        self.clock = costs.setup_s
        self.phases: dict[str, float] = {}

    def copy_round(self, index: int, kind: RoundKind) -> Round:
        """See ``Source``. Raises ``OutOfTime`` and ``NeverConverges`` (both ``MigrationAborted``)."""
        sending = self._sending(self._pending)
        if kind is RoundKind.STOP_AND_COPY:
            self._pass("last_scan", self._costs.last_scan_s)
            made = self._round(index, kind, sending, 0.0, throttled=0.0)
            self._pass("last_round", sending)
            self._pending = 0
            return made
        if self.clock + sending > self._timeout_s:
            self.clock = self._timeout_s
            raise OutOfTime("the migration took longer than its timeout")
        if index > MOST_ROUNDS:
            raise NeverConverges(f"{MOST_ROUNDS} rounds were not enough: it would never end")
        return self._beside_the_guest(index, sending)

    def throttle(self, throttle: Throttle | None) -> None:
        """From the next round on."""
        self._throttle = throttle

    def pause_guest(self) -> None:
        """Stun."""
        self._pass("pause", self._costs.pause_s)

    def resume_guest(self) -> None:
        """The guest runs while a round does; there is nothing to resume."""

    def prepare(self) -> None:
        """One round trip."""
        self._pass("prepare", self._rtt_s + self._costs.prepare_s)

    def commit(self) -> None:
        """Half a round trip until the destination has it; its first step ends the downtime."""
        self._pass("commit", self._rtt_s / 2 + self._costs.commit_s)
        self._pass("resume", self._costs.resume_s)

    def abandon(self, reason: str) -> None:
        """Nobody is there to be told."""

    def _protecting(self) -> float:
        """Seconds to protect again about as much as is pending, where first writes are stunned."""
        if self._throttle is None or self._throttle.dirty_rate is None:
            return 0.0
        return min(self._costs.protect_s, self._pending / PAGE_SIZE * self._costs.protect_page_s)

    def _sending(self, size: int) -> float:
        """Seconds for so many bytes of what is pending."""
        return (size + self._framing()) / self._goodput + self._rtt_s + self._costs.round_s

    def _framing(self) -> float:
        """Bytes that announce what is pending. Of pages that are dirty by chance a run begins at each whose neighbour
        before it is clean.
        """
        clean = max(0.0, 1 - self._pending / self._guest.spread_bytes)
        runs = self._pending / PAGE_SIZE * clean if self._scattered else 1.0
        return runs * self._costs.run_bytes

    def _beside_the_guest(self, index: int, sending: float) -> Round:
        scan = self._costs.scan_s + self._protecting()
        duration = sending + scan
        did, wanted = self._guest.operations, self._guest.wanted
        self._guest.run(duration, self._throttle)
        held = self._guest.held_s(self._throttle)
        scan, duration = scan + held, duration + held
        did, wanted = self._guest.operations - did, self._guest.wanted - wanted
        throttled = max(0.0, 1 - did / wanted) if self._throttle and wanted else 0.0
        dirtied = self._guest.collect()
        made = self._round(index, RoundKind.PRECOPY, duration, scan, throttled, dirtied)
        self.clock += duration
        self._pending = dirtied
        return made

    def _round(
        self, index: int, kind: RoundKind, duration: float, scan: float, throttled: float, dirtied: int = 0
    ) -> Round:
        return Round(
            index=index,
            kind=kind,
            started_s=self.clock,
            duration_s=duration,
            scan_s=scan,
            sent_bytes=self._pending,
            dirtied_bytes=dirtied,
            throttle=throttled,
        )

    def _pass(self, phase: str, duration: float) -> None:
        self.phases[phase] = duration
        self.clock += duration
