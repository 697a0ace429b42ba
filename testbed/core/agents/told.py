"""What an agent says to the run while it lives, and what the run orders an agent to do: plain values.

    run      ── Migrate │ Cancel │ Throttle │ Resume │ Release ...Order ──▶  source agent
    source   ── SourceReady ─ RoundProgress, RoundDone ... ─ RoundCells ─ SourceFinished ──▶  run
    dest.    ── DestinationReady ───────────── DestinationFinished ─ Announced ────────────▶  run
    either   ── Held ──▶  run  ── LetGoOrder ──▶  the one that is held

``wire.lines`` has them as lines. Times are seconds of CLOCK_MONOTONIC, which all processes on one machine share.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from testbed.core.records.stamps import Stamps
from testbed.core.rounds import Decision, Round

Unaccepted: TypeAlias = tuple[str, int, str, int, int]
"""Local ip and port, remote ip and port, and the number of the next byte to the remote end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReady:
    """The source can begin: by which ``tracker`` it will find what is dirty, and the ``reason`` for that one."""

    tracker: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationReady:
    """The destination has reserved the guest's memory, and listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFailed:
    """An agent could not do its work, and ends. ``missing``: what this machine lacks for it, with the ``remedy``."""

    reason: str
    missing: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundProgress:
    """Within a round, several times a second: page bytes of it sent so far, of how many."""

    at: float
    round: int
    sent_bytes: int
    round_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundDone:
    """A round is over. ``decision`` is None after the stop-and-copy round, or when its policy failed."""

    at: float
    round: Round
    decision: Decision | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundCells:
    """Where in memory a round's pages were: of ``pages`` pages in cells of ``cell_pages`` each, how many of each cell
    it ``sent``, and how many were found ``dirtied`` at its end.
    """

    round: int
    pages: int
    cell_pages: int
    sent: tuple[int, ...]
    dirtied: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """The answer to a ``ThrottleOrder``; ``fault``: why it was not done."""

    level: float
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnacceptedConnections:
    """All that were taken out of the guest's listeners so far: should the agent die, nobody else knows of them."""

    connections: tuple[Unaccepted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitUnanswered:
    """The source is in doubt, and waits for ``ResumeOrder`` or ``ReleaseOrder``."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFacts:
    """What a stream carried, ``retransmits`` segments of ``mss`` bytes twice, under which ``congestion`` control."""

    page_bytes: int
    framing_bytes: int
    retransmits: int
    mss: int
    congestion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFacts:
    """How the guest's TCP connections fared; see ``ConnectionsRecord``."""

    mechanism: Literal["tcp_repair", "reset"]
    reason: str = ""
    moved: int = 0
    refused: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    foreseen: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleFacts:
    """Which ``mechanism`` slowed the guest (None: none), and how long it stood still for its installation."""

    mechanism: str | None = None
    install_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What only the source knows. ``asked``: it was told to migrate; ``released``: the guest was its no longer, or
    again. ``channel_bytes`` were sent on the control channel; ``connections`` is None for a guest without a network;
    ``cpu_s`` its own processor seconds between the two.
    """

    asked: float
    released: float
    stamps: Stamps
    streams: tuple[StreamFacts, ...]
    channel_bytes: int
    connections: ConnectionFacts | None
    throttle: ThrottleFacts
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFinished:
    """The migration is over, as the source sees it."""

    outcome: Literal["completed", "cancelled", "aborted"]
    reason: str
    facts: SourceFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverConnected:
    """The migration is over before the destination heard of it; ``refused``: since nobody listened there any more."""

    outcome: Literal["cancelled", "aborted"]
    reason: str
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationFinished:
    """The migration is over, as the destination sees it; ``cpu_s`` are its own processor seconds since it was ready."""

    outcome: Literal["completed", "aborted"]
    reason: str
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """The destination has told the network ``count`` times where the guest is; ``fault``: what was in its way."""

    count: int
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """No line: what is read of an agent after its last one. ``nonsense``: what is wrong with a line of it that nobody
    can read, for which it was ended; None: it has ended by itself.
    """

    nonsense: str | None = None

    def __str__(self) -> str:
        if self.nonsense is None:
            return "died"
        return f"said what cannot be read ({self.nonsense}) and was ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The agent stands still as it was told to: it is about to say the message that ``phase`` is called after, or has
    just ``said`` it. It waits for a ``LetGoOrder``.
    """

    phase: str
    said: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateOrder:
    """Begin to migrate the guest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """End it, if it is not too late; the guest stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleOrder:
    """Take ``level`` (0 to 1) of the guest's time, whatever the policy asks; 0 releases it."""

    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeOrder:
    """The doubt is over: the guest never ran at the destination, and goes on here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseOrder:
    """The doubt is over: the guest runs at the destination."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetGoOrder:
    """What an agent was held for is done: it goes on."""


Told: TypeAlias = (
    SourceReady
    | DestinationReady
    | AgentFailed
    | RoundProgress
    | RoundDone
    | RoundCells
    | Throttled
    | UnacceptedConnections
    | CommitUnanswered
    | SourceFinished
    | NeverConnected
    | DestinationFinished
    | Announced
    | Held
)
AgentOrder: TypeAlias = MigrateOrder | CancelOrder | ThrottleOrder | ResumeOrder | ReleaseOrder | LetGoOrder
