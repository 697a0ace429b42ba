"""The four instants of a migration at which everything was counted.

running ─ warm-up ─ migrate ─ the migration ─ ended ─ cool-down ─ cooled
"""

from dataclasses import dataclass

from testbed.findings.accounting import LinkCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An instant (CLOCK_MONOTONIC, s) and what had been counted by then: what the source sent on the vMotion link, the
    guest's processor seconds at both hosts, its operations.
    """

    at: float
    link: LinkCount
    guest_cpu_s: float
    operations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """All four, in the order of time."""

    running: Mark
    migrate: Mark
    ended: Mark
    cooled: Mark

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """When each was, in seconds of CLOCK_MONOTONIC."""
        return self.running.at, self.migrate.at, self.ended.at, self.cooled.at

    @property
    def window(self) -> tuple[float, float]:
        """The migration's time, as the link was counted."""
        return self.migrate.at, self.ended.at

    @property
    def link(self) -> LinkCount:
        """What the source sent on the vMotion link in that time."""
        return self.ended.link - self.migrate.link
