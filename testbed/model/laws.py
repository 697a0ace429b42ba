"""The closed forms for one plan: what can be said of it without computing a single round."""

import math
from dataclasses import dataclass

from testbed.core.plan import Plan
from testbed.model import closed_forms as law


@dataclass(frozen=True, slots=True, kw_only=True)
class Laws:
    """Bytes, seconds; None where the law says nothing or never. Throttles and fixed costs are in none of them.

    ``rho``: write rate / goodput. ``linear_*``: every write hits a clean page. ``finite_time_s``: uniform writes over
    the working set, until what is left of it is within the downtime goal (without a goal: a hundredth of it) and has
    been sent, too.
    ``plateau_bytes``: what every round leaves of it if rho > 1; ``plateau_downtime_s`` the time to send that, which is
    the least downtime without a throttle.
    """

    rho: float
    linear_time_s: float | None
    linear_downtime_s: float | None
    linear_rounds: int | None
    finite_time_s: float | None
    plateau_bytes: float | None
    plateau_downtime_s: float | None


def laws(plan: Plan, goodput: float) -> Laws:
    """``goodput``: bytes per second that the migration gets. A workload of several rates is taken at their mean."""
    memory, goal = plan.guest.ram_bytes, plan.migration.policy.get("downtime_goal", 0.0)
    writes = write_rate(plan)
    rho, size = writes / goodput, float(plan.guest.workload.get("working_set") or memory)
    uniform = plan.guest.workload["name"] == "uniform"
    plateau = size * law.plateau(rho) if uniform and rho > 1 else None
    return Laws(
        rho=rho,
        linear_time_s=law.total_time(memory, goodput, writes),
        linear_downtime_s=law.downtime(memory, goodput, writes, goal) if goal else None,
        linear_rounds=law.rounds(memory, goodput, writes, goal) if goal else None,
        finite_time_s=_finite(memory, size, goodput, rho, goal) if uniform and 0 < rho <= 1 else None,
        plateau_bytes=plateau,
        plateau_downtime_s=None if plateau is None else plateau / goodput,
    )


def _finite(memory: float, size: float, goodput: float, rho: float, goal: float) -> float:
    """(M + W S) / B. The first round leaves 1 - exp(-rho M / W) of the working set."""
    first, until = -math.expm1(-rho * memory / size), goal * goodput / size or 0.01
    return (memory + size * law.resent(rho, until, first=first)) / goodput


def write_rate(plan: Plan) -> float:
    """Bytes per second that the guest writes; the mean over time for phases, 0 for an idle guest."""
    workload = plan.guest.workload
    parts = workload.get("phases")
    if parts is None:
        return float(workload.get("write_rate") or 0.0)
    seconds = sum(part["duration"] for part in parts)
    return float(sum((part.get("write_rate") or 0.0) * part["duration"] for part in parts) / seconds)
