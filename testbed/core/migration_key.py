"""Which migration of a run, and of which guest: what every event, order, row and record of it names."""

from dataclasses import dataclass

GUEST = "vm"
"""The guest of a scenario, under the key that describes it there."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class MigrationKey:
    """Which migration of a run: the combination of the matrix by ``name``, which ``repeat`` of it (from 1),
    and the guest that moves.
    """

    name: str
    repeat: int = 1
    guest: str = GUEST

    def __str__(self) -> str:
        """For people, who take the first repeat and the only guest for granted."""
        repeat = "" if self.repeat == 1 else f" (repeat {self.repeat})"
        return f"{self.name}{repeat}" + ("" if self.guest == GUEST else f", guest {self.guest}")
