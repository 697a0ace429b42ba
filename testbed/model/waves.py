"""Several guests that share one link: wave after wave, each by the migration that is foreseen of it at its share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from testbed.core.plan import GuestPlan, LinkPlan, MigrationPlan, NetworkPlan, Plan
from testbed.core.units import PAGE_SIZE
from testbed.model.predict import predict

NEVER = float("inf")
GOAL_S = 0.5
"""The downtime at which a migration is switched over."""
_LISTS = (list, tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetGuest:
    """One of several guests; it writes to all of its RAM, page after page. Bytes, and bytes a second."""

    name: str
    ram_bytes: int
    write_rate: float


def planned(said: object, guests: Mapping[str, FleetGuest]) -> list[list[FleetGuest]]:
    """The waves of a plan in which each guest goes by its name. Raises ``ValueError``: what is wrong with the plan, and
    for what is often meant otherwise a hint.
    """
    if not isinstance(said, _LISTS) or not all(isinstance(wave, _LISTS) and wave for wave in said):
        raise ValueError("'waves' is to return a list of lists of names, none of them empty")
    if not said:
        raise ValueError("nobody is in it", "Whom you cannot save may be left out, and not everybody.")
    named = [name for wave in said for name in wave]
    if not all(isinstance(name, str) and name in guests for name in named):
        raise ValueError("there is a name in it that no guest has")
    if len(set(named)) < len(named):
        raise ValueError("a guest is in it twice", "Whoever has left is not there any more.")
    return [[guests[name] for name in wave] for wave in said]


def ends(waves: Sequence[Sequence[FleetGuest]], *, link: float, cap: float) -> dict[str, float]:
    """When each guest is over at the destination, in seconds from the first wave on; ``NEVER`` for one that does not
    complete, and for all after it. So many as move at once have the same share of the link, each up to its cap, until
    the last of their wave is over. ``link`` and ``cap`` are bytes a second of TCP payload.
    """
    over, began = dict[str, float](), 0.0
    for wave in waves:
        share = min(cap, link / len(wave)) if wave else cap
        mine = {guest.name: began + _seconds(guest.ram_bytes, guest.write_rate, share) for guest in wave}
        over |= mine
        began = max(mine.values(), default=began)
    return over


@lru_cache(4096)
def _seconds(ram_bytes: int, write_rate: float, share: float) -> float:
    if write_rate >= share:
        return NEVER
    plan = Plan(
        name="one of several",
        network=NetworkPlan(vmotion=LinkPlan(goodput=share * 8)),
        guest=GuestPlan(
            ram_bytes=round(ram_bytes / PAGE_SIZE) * PAGE_SIZE,
            workload={"name": "sequential", "write_rate": write_rate},
        ),
        migration=MigrationPlan(policy={"name": "plain", "downtime_goal": GOAL_S}, timeout_s=NEVER),
    )
    seen = predict(plan, goodput=share)
    return seen.total_time_s if seen.outcome == "completed" else NEVER
