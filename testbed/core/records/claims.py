"""What others have published, as plain values that a run can be held against."""

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from testbed.core.settings import Settings

Figure: TypeAlias = Literal["total_time", "downtime", "bytes_sent", "round_bytes", "longest_halt"]
Unit: TypeAlias = Literal["share", "bytes", "seconds", "ratio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One published number, of real-world size.

    With ``over`` (an axis of the matrix) it is the share by which ``figure`` falls from the axis' value ``a`` to
    ``b``, or with ``at_least`` how many times as large it has to be at ``a`` as at ``b``; without, it is the figure
    itself: bytes or seconds, of round ``round`` for ``round_bytes``. ``where`` says which migrations are meant, by
    their settings. ``within`` is how far a run may be from it: a share of the figure, or for a reduction a difference;
    None: it is only told.
    """

    figure: Figure
    published: float
    source: str
    where: Settings = field(default_factory=dict)
    over: str = ""
    a: Any = None
    b: Any = None
    round: int | None = None
    within: float | None = None
    at_least: bool = False

    @property
    def name(self) -> str:
        """``total_time vm.ram=128GiB``; ``round 2``."""
        figure = f"round {self.round}" if self.round else self.figure
        return " ".join([figure, *(f"{path}={value}" for path, value in self.where.items())])

    @property
    def unit(self) -> Unit:
        """The unit that ``published`` counts in."""
        if self.over:
            return "ratio" if self.at_least else "share"
        return "bytes" if self.figure in ("bytes_sent", "round_bytes") else "seconds"
