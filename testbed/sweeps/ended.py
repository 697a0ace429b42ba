"""How a point ended, in the few words that a sweep needs of it."""

from dataclasses import dataclass, field

VALID, NOT_VALID, REFUSED, LEFT = "valid", "not valid", "refused", "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointMade:
    """How a point ended. ``state``: ``valid``, ``not valid``, or ``refused``: no run came of it. ``figures``: of each
    of its migrations that completed, by name, what intervals may be asked of; nothing of one that is not valid.
    ``run_s``: seconds that its run took by itself, without what a sweep does for it; 0 where it was there before.
    """

    id: str
    number: int
    state: str
    machine: str
    canary: bool = False
    reason: str = ""
    run_s: float = 0.0
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
