"""What is said while a migration runs, to whoever watches: the terminal, the record, a browser.

Every event has ``at``, seconds of CLOCK_MONOTONIC, which all processes on one machine share, and the ``migration`` that
it is of: several may be under way at once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from testbed.core.migration_key import MigrationKey
from testbed.core.records.migration import MigrationRecord
from testbed.core.rounds import Decision, Round


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationStarted:
    """A migration of the matrix begins. ``index`` counts from 1 to ``total``. ``expected_s``: its total time by the
    model; ``others_s``: how long those after it are expected to take with all that belongs to them. None: no model.
    ``expected_why_not``: where it does not complete by the model, the reason; else empty.
    ``goal_s``: the downtime goal of its policy, in seconds at emulated size; None for a policy without.
    """

    at: float
    migration: MigrationKey
    index: int
    total: int
    expected_s: float | None = None
    expected_why_not: str = ""
    others_s: float | None = None
    goal_s: float | None = None

    @property
    def name(self) -> str:
        """The migration's, as in the record."""
        return self.migration.name


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChanged:
    """A stage began: ``network``, ``guest``, ``calibrate``, ``warmup``, ``precopy``, ``switchover``, ``cooldown``,
    ``verify``.
    """

    at: float
    migration: MigrationKey
    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Within a round, several times a second: bytes of this round sent so far, of how many."""

    at: float
    migration: MigrationKey
    round: int
    sent_bytes: int
    round_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFinished:
    """A round ended and the policy decided. Decision is None for the stop-and-copy round."""

    at: float
    migration: MigrationKey
    round: Round
    decision: Decision | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationFinished:
    """A migration ended; ``outcome`` as in the record, ``reason`` a sentence."""

    at: float
    migration: MigrationKey
    outcome: str
    reason: str
    valid: bool
    record: MigrationRecord | None = None

    @property
    def name(self) -> str:
        """The migration's, as in the record."""
        return self.migration.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Controlled:
    """Somebody did something to a migration by hand; ``fault``: why it was not done, as where there is no such
    migration. ``migration`` None: none was named, and there was not just one under way.
    """

    at: float
    migration: MigrationKey | None
    what: str
    value: float | None
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultInjected:
    """A fault that was planned for the migration was carried out; ``fault``: why it was not."""

    at: float
    migration: MigrationKey
    phase: str
    what: str
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """Several times a second, since the migration's guest was set going: bytes that its host sent on the vMotion link,
    operations that the guest has done, and those of its services by name; ``silence_s`` the longest that its client
    went without an answer, of what ended since the one before; None where there was none.
    """

    at: float
    migration: MigrationKey
    link_bytes: int
    operations: int
    services: dict[str, int] = field(default_factory=dict)
    silence_s: float | None = None


Event: TypeAlias = (
    MigrationStarted
    | PhaseChanged
    | Progress
    | RoundFinished
    | MigrationFinished
    | Controlled
    | FaultInjected
    | Sampled
)
Observer: TypeAlias = Callable[[Event], None]
"""Whoever watches; called from any thread."""
