"""What a service's oracle says of a run, from the guest's code to the record."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether nothing was lost, doubled or changed, and by which ``method`` that was found. ``lost`` and ``doubled``
    count operations that were acknowledged; ``findings`` are sentences about what is wrong, at most ten of them.
    """

    ok: bool
    method: str
    operations: int
    lost: int = 0
    doubled: int = 0
    findings: tuple[str, ...] = ()
