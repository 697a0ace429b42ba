"""The parts of ``summary.json`` about the guest's applications: its identity, its connections, what its clients saw."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

AROUND = ("last_answer", "downtime", "next_request", "next_answer")
ASIDE = ("before_switchover", "after_switchover")
"""The parts of a blackout that reaches the downtime, and the one part of one that does not."""


@dataclass(slots=True, kw_only=True)
class IdentityRecord:
    """The guest on the VM network. ``forwarding_before`` and ``_after``: the host behind the switch's port on which it
    last saw the guest's MAC, just before the migration and when it was over; ``announcements``: RARP and gratuitous
    ARP rounds sent from the destination; ``announce``: whether it was to be announced at all.
    """

    mac: str
    ip: str
    forwarding_before: str | None
    forwarding_after: str | None
    announcements: int = 0
    announce: bool = True


@dataclass(slots=True, kw_only=True)
class ConnectionsRecord:
    """The guest's TCP connections at the switchover. ``mechanism``: ``tcp_repair``, or ``reset`` with the ``reason``.

    ``moved`` went on at the destination, ``refused`` could not be taken there or made there, ``refusals`` of them for
    each reason; of a guest that stayed, those that did not outlast the attempt. ``foreseen``: for each reason, how many
    were known to be unfit just before the guest was stunned. ``reconnects`` are the clients' own.
    """

    mechanism: Literal["tcp_repair", "reset"]
    reason: str = ""
    moved: int = 0
    refused: int = 0
    reconnects: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    foreseen: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class BlackoutRecord:
    """The client's blackout on the axis of the downtime: from its last answer before to its first after, cut at the
    edges of the downtime. ``parts`` (seconds, in order) add up to ``client_blackout_s``; it began ``begin_s`` after the
    stun was asked (so mostly below 0).
    """

    answers: int
    median_interval_s: float
    begin_s: float
    parts: dict[str, float]


@dataclass(slots=True, kw_only=True)
class OrderRecord:
    """What somebody did to the migration by hand, ``at_s`` after it was asked for; ``fault``: why it was not done."""

    at_s: float
    what: str
    value: float | None = None
    fault: str | None = None


@dataclass(slots=True, kw_only=True)
class FaultRecord:
    """A fault that was planned for the migration: ``what`` at the moment when ``phase`` began, ``at_s`` after it was
    asked for. ``at_s`` None: it was never reached. ``fault``: why it was not done.
    """

    phase: str
    what: str
    at_s: float | None = None
    fault: str | None = None

    @property
    def struck(self) -> bool:
        """Whether it was carried out."""
        return self.at_s is not None and self.fault is None

    def __str__(self) -> str:
        return f"{self.phase}:{self.what}"


def struck(faults: Iterable[FaultRecord]) -> bool:
    """Whether a migration met any of the faults that were planned for it."""
    return any(fault.struck for fault in faults)


@dataclass(slots=True, kw_only=True)
class CaptureRecord:
    """The packets that ``--capture`` kept: where (in the run's folder), how many, and how many the kernel dropped.
    ``fault`` ended it early.
    """

    file: str
    packets: int | None
    dropped: int | None
    fault: str | None = None


@dataclass(slots=True, kw_only=True)
class ServicePhaseRecord:
    """A service in one stretch of time (``before``, ``round 1``..., ``throttled``, ``switchover``, ``after``).

    ``rate`` in completed operations per second, latencies in seconds; None where nothing was completed.
    """

    phase: str
    begin_s: float
    end_s: float
    operations: int
    rate: float
    latency_p50_s: float | None
    latency_p95_s: float | None
    latency_p99_s: float | None
    latency_max_s: float | None
    longest_halt_s: float


@dataclass(slots=True, kw_only=True)
class ServiceRecord:
    """One application of the guest, or its clients. ``abandoned``: requests whose connection broke before they were
    answered, and that were not asked again. ``verified`` None: nothing to be held against (the probe, or a
    migration that broke). ``seen_by`` says whose log the figures are from. ``longest_halt_s``: the longest time without
    a completed operation from the migration's beginning on.
    """

    name: str
    seen_by: Literal["guest", "client"]
    operations: int
    operation_bytes: int | None
    rate_before: float | None
    rate_during: float | None
    rate_throttled: float | None
    rate_after: float | None
    longest_halt_s: float | None
    phases: list[ServicePhaseRecord] = field(default_factory=list)
    verified: bool | None = None
    lost: int | None = None
    doubled: int | None = None
    errors: int | None = None
    reconnects: int | None = None
    abandoned: int | None = None
    method: str = ""
    findings: list[str] = field(default_factory=list)

    @classmethod
    def counted(cls, name: str, operations: int) -> "ServiceRecord":
        """A service of which nothing is known but how much it has done, by the guest's own counter."""
        return cls(
            name=name,
            seen_by="guest",
            operations=operations,
            operation_bytes=None,
            rate_before=None,
            rate_during=None,
            rate_throttled=None,
            rate_after=None,
            longest_halt_s=None,
        )
