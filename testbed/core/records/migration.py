"""``summary.json``, schema 1, as plain values. Bytes, seconds, bytes per second; link rates in bits per second.

None where a thing was not measured, never a guess. ``testbed schema summary`` prints this as JSON Schema.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from testbed.core.migration_key import GUEST, MigrationKey
from testbed.core.records.claims import Unit
from testbed.core.records.fingerprint import FingerprintRecord
from testbed.core.records.lab import LabRecord
from testbed.core.records.link import CrossTrafficRecord, LinkRecord, StreamRecord
from testbed.core.records.rounds import RoundRecord
from testbed.core.records.services import (
    BlackoutRecord,
    CaptureRecord,
    ConnectionsRecord,
    FaultRecord,
    IdentityRecord,
    OrderRecord,
    ServiceRecord,
)
from testbed.core.settings import Settings

Outcome = Literal["completed", "cancelled", "aborted", "failed"]


@dataclass(slots=True, kw_only=True)
class VmRecord:
    """The guest as emulated."""

    ram_bytes: int
    workload: str
    working_set_bytes: int | None
    write_rate: float | None
    achieved_write_rate: float | None = None
    name: str = GUEST


@dataclass(slots=True, kw_only=True)
class CpuRecord:
    """CPU seconds used during the migration; ``sampler_share`` and
    ``probe_share`` are what sampling, and the client's probe, took of one core.
    """

    source_s: float | None
    destination_s: float | None
    guest_s: float | None
    sampler_s: float | None = None
    sampler_share: float | None = None
    probe_share: float | None = None


@dataclass(slots=True, kw_only=True)
class ThrottleRecord:
    """How the guest was slowed. ``peak`` 0..1 is the largest share of a round taken from it or from its writers;
    ``guest_slowdown`` 0..1 how much fewer operations it did meanwhile; ``install_s`` how long it stood still for it.
    """

    policy: str
    mechanism: str | None = None
    active_s: float = 0.0
    peak: float = 0.0
    guest_slowdown: float | None = None
    dirty_rate: float | None = None
    install_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class MemoryRecord:
    """The frozen source against the destination. ``match`` is None when it could not be checked. ``mismatches`` are the
    numbers of the first ten pages that differ, of ``pages_mismatched``. ``fingerprint``: whose memory it was.
    """

    match: bool | None
    method: str
    pages_compared: int = 0
    pages_excluded: int = 0
    pages_replayed: int = 0
    pages_mismatched: int = 0
    mismatches: list[int] = field(default_factory=list)
    fingerprint: FingerprintRecord | None = None

    @property
    def difference(self) -> str | None:
        """Which pages differ: ``12 pages: 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 2 more``. None: no page is known to."""
        if not self.mismatches:
            return None
        pages = "1 page" if self.pages_mismatched == 1 else f"{self.pages_mismatched:,} pages"
        more = self.pages_mismatched - len(self.mismatches)
        return f"{pages}: {', '.join(map(str, self.mismatches))}" + (f" and {more:,} more" if more else "")


@dataclass(slots=True, kw_only=True)
class AccountingRecord:
    """Page bytes = socket bytes less framing = link bytes less TCP/IP headers; ``consistent`` says they agree."""

    page_bytes: int
    socket_bytes: int
    link_bytes: int | None
    consistent: bool | None


@dataclass(slots=True, kw_only=True)
class GuestRecord:
    """What the guest itself saw. Rates in operations per second. ``fault``: why it did not run at the end."""

    operations: int | None = None
    lost: int | None = None
    errors: int | None = None
    longest_gap_s: float | None = None
    rate_before: float | None = None
    rate_during: float | None = None
    rate_after: float | None = None
    fault: str | None = None


@dataclass(slots=True, kw_only=True)
class PredictionEnd:
    """One end of each figure's interval: the least, or the most, that any of the replicas had."""

    total_time_s: float
    downtime_s: float | None
    bytes_sent: int
    rounds: int


@dataclass(slots=True, kw_only=True)
class PredictionRecord:
    """What the model said before the run. Unless it is to complete, the total is the time until its end, and there is
    no downtime.

    The figures are those of a guest that does what is expected of it. ``replicas`` have what chance adds to that, and
    ``alike`` of them ended as it does: ``low`` and ``high`` are theirs and its own, of figures each by itself. None
    where nobody asked for them.
    """

    total_time_s: float
    downtime_s: float | None
    bytes_sent: int
    rounds: int
    outcome: Outcome = "completed"
    low: PredictionEnd | None = None
    high: PredictionEnd | None = None
    replicas: int = 0
    alike: int = 0


@dataclass(slots=True, kw_only=True)
class MigrationRecord:
    """One migration of the matrix. Clock edges: docs/record.md. ``runs_at``: the host where the guest runs from its end
    on; None where there are no hosts, or none runs it. ``own_code``: the user's own files that its scenario named, and
    what they import from beside themselves, each with its SHA-256 in hexadecimal of then.
    """

    name: str
    settings: Settings
    repeat: int
    scale: dict[str, float]
    outcome: Outcome
    reason: str
    vm: VmRecord
    link: LinkRecord
    tracker: str | None = None
    tracker_reason: str | None = None
    total_time_s: float | None = None
    downtime_s: float | None = None
    guest_gap_s: float | None = None
    guest_gap_begin_s: float | None = None
    client_blackout_s: float | None = None
    downtime_phases_s: dict[str, float] = field(default_factory=dict)
    bytes_sent: int = 0
    wire_bytes: int | None = None
    retransmits: int | None = None
    streams: list[StreamRecord] = field(default_factory=list)
    cpu: CpuRecord | None = None
    memory_overhead_bytes: int | None = None
    rounds: list[RoundRecord] = field(default_factory=list)
    throttle: ThrottleRecord | None = None
    memory: MemoryRecord | None = None
    accounting: AccountingRecord | None = None
    guest: GuestRecord | None = None
    predicted: PredictionRecord | None = None
    cross_traffic: CrossTrafficRecord | None = None
    identity: IdentityRecord | None = None
    connections: ConnectionsRecord | None = None
    blackout: BlackoutRecord | None = None
    services: list[ServiceRecord] = field(default_factory=list)
    capture: CaptureRecord | None = None
    controls: list[OrderRecord] = field(default_factory=list)
    faults: list[FaultRecord] = field(default_factory=list)
    full_scale: dict[str, float | None] = field(default_factory=dict)
    interrupted: bool = False
    runs_at: str | None = None
    own_code: dict[str, str] = field(default_factory=dict)
    valid: bool = False
    invalid_reasons: list[str] = field(default_factory=list)

    @property
    def key(self) -> MigrationKey:
        """Which migration of the run it is."""
        return MigrationKey(name=self.name, repeat=self.repeat, guest=self.vm.name)


@dataclass(slots=True, kw_only=True)
class ComparisonRecord:
    """One published claim held against this run, at real-world size.

    Either a reduction along the axis ``over`` from its value ``a`` to ``b``, or how many times as large a figure is at
    ``a`` as at ``b`` (unit ``ratio``), or (``over`` empty) one figure. ``measured`` stands in ``unit`` beside
    ``published``; of a reduction it is the reduction. ``met`` says whether it is ``within`` of what was published, or
    of a ratio at least that; None when nobody asked, or nothing was measured.
    """

    name: str
    over: str
    a: Any
    b: Any
    reduction: float | None
    published: float | None
    source: str
    measured: float | None = None
    unit: Unit = "share"
    within: float | None = None
    met: bool | None = None


@dataclass(slots=True, kw_only=True)
class NotMadeRecord:
    """A migration that was asked for and not made, and why."""

    name: str
    repeat: int
    reason: str
    guest: str = GUEST

    @property
    def key(self) -> MigrationKey:
        """Which migration of the run it would have been."""
        return MigrationKey(name=self.name, repeat=self.repeat, guest=self.guest)


@dataclass(slots=True, kw_only=True)
class Summary:
    """What ``summary.json`` says of a whole run. ``lab``: of a run that was made for one. ``warnings``: what was said
    before it, of a machine that is slow for it or nearly too small.
    """

    schema: int = 1
    testbed_version: str
    scenario: str
    engine: str
    started_at: str
    seed: int
    valid: bool
    invalid_reasons: list[str]
    environment: dict[str, Any]
    migrations: list[MigrationRecord]
    comparisons: list[ComparisonRecord] = field(default_factory=list)
    not_made: list[NotMadeRecord] = field(default_factory=list)
    lab: LabRecord | None = None
    warnings: list[str] = field(default_factory=list)
