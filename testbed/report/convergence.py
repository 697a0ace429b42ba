"""Why a migration would not end as it should, in words: what the guest writes beside what is sent, and what would do.

rho = writes / goodput       above 1 a round leaves as much as the one before, unless a policy slows the guest
"""

import math
from dataclasses import replace

from testbed.core.plan import Plan
from testbed.core.records.migration import MigrationRecord
from testbed.core.units import in_bits_per_second, in_seconds
from testbed.model.laws import Laws, write_rate
from testbed.model.link import available, link_goodput
from testbed.model.predict import feasibility, forecast

GOAL = "downtime_goal"
FASTEST = 400e9
"""Bit/s: no link of a host is faster."""
SLOWEST = 1e6
STEPS = 16
"""Halvings between the slowest and the fastest link: to one part in five thousand."""
NEAR = 1.05
"""A downtime up to so much above its goal is as good as within it: what a policy expects is not what it gets."""


def why(plan: Plan, record: MigrationRecord, laws: Laws) -> str | None:
    """In one line; None for a migration that completes within its goal."""
    goal = plan.migration.policy.get(GOAL)
    late = bool(goal and record.downtime_s and record.downtime_s > goal * NEAR)
    if record.outcome == "completed" and not late:
        return None
    if record.outcome == "cancelled" and (short := _short_of_time(plan)):
        return f"{record.name}: {_ending(plan, record)}: {short}"
    goodput = in_bits_per_second(available(plan, link_goodput(plan.network.vmotion)) * 8 * plan.scale.size)
    sentence = f"{record.name}: {_ending(plan, record)}: {_in_rho(laws.rho, goodput)}"
    return sentence if goal is None else f"{sentence}; {enough(plan)}"


def _short_of_time(plan: Plan) -> str | None:
    """How long it would take on its own link; None where no time would do."""
    link, limit = plan.network.vmotion, plan.migration.timeout_s
    patient = replace(plan, migration=replace(plan.migration, timeout_s=math.inf))
    seen = forecast(patient, goodput=link_goodput(link), rtt_s=2 * link.delay_s)
    if seen.outcome != "completed":
        return None
    takes, given = (in_seconds(each * plan.scale.time) for each in (seen.total_time_s, limit))
    return f"it would take {takes}, and its timeout is {given}"


def enough(plan: Plan) -> str:
    """From which link on the policy's own goal would be reached."""
    goal = in_seconds(plan.migration.policy[GOAL] * plan.scale.time)
    rate = least_rate(plan)
    if rate is None:
        return f"no link of up to {in_bits_per_second(FASTEST)} would do for a goal of {goal}: {_why_none(plan)}"
    return f"a link of some {in_bits_per_second(rate)} would do for a goal of {goal}"


def _why_none(plan: Plan) -> str:
    """What even the fastest link does not mend."""
    rate = FASTEST / plan.scale.size
    whole = link_goodput(replace(plan.network.vmotion, rate=rate, goodput=None))
    got = available(plan, whole)
    if got <= 0:
        return "cross traffic takes all of it"
    sent = in_bits_per_second(got * 8 * plan.scale.size)
    there = f"its streams carry {sent} there" if plan.migration.stream_cap else f"even there, where {sent} are sent"
    rho = write_rate(plan) / got
    if rho >= 1:
        return f"{there}, the guest writes {rho:.3g} times that (rho), so rounds do not get smaller"
    (cell,) = feasibility(plan, [rate], [plan.migration.policy[GOAL]])
    if cell.downtime_s is None:
        return f"{there}, rounds do not get small enough for it"
    downtime = in_seconds(cell.downtime_s * plan.scale.time)
    return f"{there}, its downtime is {downtime}: what a switchover costs beside sending is the same on any link"


def least_rate(plan: Plan) -> float | None:
    """Bit/s at real-world size: the slowest link, up to two digits, on which the plan completes within its goal; None:
    there is none.
    """
    if not _does(plan, FASTEST):
        return None
    low, high = math.log(SLOWEST), math.log(FASTEST)
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if _does(plan, math.exp(middle)) else (middle, high)
    digit = 10.0 ** (math.floor(high / math.log(10)) - 1)
    return math.ceil(math.exp(high) / digit) * digit


def _does(plan: Plan, rate: float) -> bool:
    """Whether it completes within its goal on a link of ``rate`` (bit/s at real-world size)."""
    goal = plan.migration.policy[GOAL]
    (cell,) = feasibility(plan, [rate / plan.scale.size], [goal])
    return cell.total_time_s is not None and (cell.downtime_s is None or cell.downtime_s <= goal * NEAR)


def _ending(plan: Plan, record: MigrationRecord) -> str:
    if record.outcome != "completed" or record.downtime_s is None:
        return "it does not end in time" if record.outcome == "cancelled" else "it does not complete"
    return f"its downtime of {in_seconds(record.downtime_s * plan.scale.time)} is above its goal"


def _in_rho(rho: float, goodput: str) -> str:
    if rho >= 1:
        return (
            f"at {goodput} of goodput the guest writes {rho:.3g} times what is sent (rho), so rounds do not get smaller"
        )
    return f"at {goodput} of goodput the guest writes {rho:.2f} of what is sent (rho), so rounds get smaller slowly"
