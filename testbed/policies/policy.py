"""What every policy is."""

from collections.abc import Sequence
from typing import Protocol

from testbed.core.rounds import Decision, Round


class Policy(Protocol):
    """Decides after each pre-copy round. It knows no clock and no socket, so a record can be replayed through it."""

    def decide(self, history: Sequence[Round]) -> Decision:
        """What to do now. ``history`` holds every round so far, the newest last, and is never empty."""
        ...
