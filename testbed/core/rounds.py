"""What a round of pre-copy was, when to look at it and what to decide after it: all that a policy sees and says."""

from dataclasses import dataclass
from enum import Enum

from testbed.core.text.printable import printable
from testbed.core.units import PAGE_SIZE, in_bytes, in_bytes_per_second, in_seconds


class RoundKind(Enum):
    """Pre-copy rounds run beside the guest; stop-and-copy runs while it is stunned."""

    PRECOPY = "precopy"
    STOP_AND_COPY = "stop_and_copy"
    POSTCOPY = "postcopy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One pass over what was dirty. Bytes are of pages, without framing; times are seconds.

    ``dirtied_bytes`` are what the next round has to send: the distinct bytes dirtied while it was sent, and, if an
    early look ended it, what of it had not been sent yet (``unsent_bytes``, of which some may be dirty anew).
    ``duration_s`` is the window in which they were dirtied: sending, and the scan after it (``scan_s``).
    ``throttle`` (0..1) is how far the guest was throttled in it. ``switchover_s`` is what a switchover after it is
    known to cost beside the bytes that are left: 0 where nothing is known. ``operations``: the guest's own counter at
    the round's end, for whoever checks the record; None where there is none.
    """

    index: int
    kind: RoundKind
    started_s: float
    duration_s: float
    sent_bytes: int
    dirtied_bytes: int
    scan_s: float = 0.0
    throttle: float = 0.0
    unsent_bytes: int = 0
    switchover_s: float = 0.0
    operations: int | None = None

    @property
    def bandwidth(self) -> float:
        """Page bytes per second that reached the destination while they were being sent."""
        sending = self.duration_s - self.scan_s
        return self.sent_bytes / sending if sending > 0 else 0.0

    @property
    def dirty_rate(self) -> float:
        """Distinct bytes dirtied per second, without those that had not been sent yet when they were dirtied again."""
        return self.newly_dirtied_bytes / self.duration_s if self.duration_s > 0 else 0.0

    @property
    def newly_dirtied_bytes(self) -> int:
        """What is left beside what was never sent."""
        return self.dirtied_bytes - self.unsent_bytes

    @property
    def dirtied_pages(self) -> int:
        """Pages that are left to send after it."""
        return self.dirtied_bytes // PAGE_SIZE

    def __str__(self) -> str:
        return (
            f"round {self.index} ({self.kind.value}): {in_bytes(self.sent_bytes)} in {in_seconds(self.duration_s)} "
            f"at {in_bytes_per_second(self.bandwidth)}, {in_bytes(self.dirtied_bytes)} dirtied"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyLook:
    """A policy's wish to decide before a round has been sent whole: as soon as what is left of it would take less than
    ``within`` seconds. That is looked at every ``every`` seconds while the round is sent.
    """

    within: float
    every: float

    def is_due(self, left_bytes: float, bandwidth: float) -> bool:
        """Whether to decide now, in a round of which ``left_bytes`` are left, at the bytes per second that it had so
        far.
        """
        return left_bytes < self.within * bandwidth


class Action(Enum):
    """What a policy may ask for after a round."""

    GO_ON = "go on"
    SWITCH_OVER = "switch over"
    GIVE_UP = "give up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """How the guest is to be slowed from now on, until the next decision says otherwise.

    ``kind`` names the mechanism, as it is registered in ``testbed.throttles``; ``level`` 0..1 is the share of CPU
    taken away where the mechanism takes shares; ``dirty_rate`` is the rate to hold, in bytes per second, where it
    holds a rate.
    """

    kind: str
    level: float = 0.0
    dirty_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do after a round, and why, in one sentence that goes into the record; it is made printable."""

    action: Action
    reason: str
    throttle: Throttle | None = None

    def __post_init__(self) -> None:
        """A reason that is no text is left as it is: whoever asked the policy says so."""
        if isinstance(self.reason, str):
            object.__setattr__(self, "reason", printable(self.reason))
