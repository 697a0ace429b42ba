"""Predictions as tables: each migration, the closed forms beside it, and which links and goals would do at all.

goal      1 Gbit/s   10 Gbit/s   25 Gbit/s   ...       real-world size; what the guest and the policy are stays,
50 ms      never        never       180 s              the link's rate and the policy's downtime goal change
500 ms     never        360 s       150 s
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich.console import Console, RenderableType
from rich.text import Text

from testbed.core.plan import LinkPlan, Plan
from testbed.core.records.claims import Claim
from testbed.core.records.migration import MigrationRecord, PredictionRecord
from testbed.core.text.label import label
from testbed.core.units import in_bits_per_second, in_bytes, in_seconds
from testbed.engines.simulated import run
from testbed.linux.processes.time_limit import deciding
from testbed.model.interval import predict_with_chance
from testbed.model.laws import Laws, laws
from testbed.model.link import available, link_goodput
from testbed.model.predict import Cell, feasibility
from testbed.report.convergence import GOAL, enough, why
from testbed.report.words import legends
from testbed.report.words.foretold import intervals
from testbed.report.words.summary import NOTHING, comparisons_table, figures_of
from testbed.report.words.tables import Fitting
from testbed.report.words.tables import console as terminal
from testbed.runfiles.published import comparisons

RATES = (1e9, 10e9, 25e9, 40e9, 100e9)
"""Bit/s: the Ethernets that hosts have."""
GOALS = (0.05, 0.1, 0.3, 0.5, 1.0)
"""Seconds; among them QEMU's 0.3 and vMotion's 0.5."""
SWEPT = ("network.vmotion.rate", "network.vmotion.goodput", f"migration.policy.{GOAL}")
"""Settings that a table has all of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One migration of the matrix. ``record``, ``chance`` (the same with what chance leaves open of each figure) and
    ``laws`` are of emulated size, but for ``record.full_scale``.
    """

    plan: Plan
    record: MigrationRecord
    chance: PredictionRecord
    laws: Laws

    @property
    def why(self) -> str | None:
        """Why it does not complete within its goal, and what would do; None if it does."""
        return why(self.plan, self.record, self.laws)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feasibility:
    """What would do for one guest and policy; ``cells`` are of real-world size, one goal after the other of a rate;
    ``note`` says what would do where some links never would.
    """

    name: str
    cells: list[Cell]
    note: str | None = None


def predicted(plan: Plan) -> Prediction:
    """Raises ``ScenarioError`` for what has no model: a link without a rate, an unknown workload; ``PolicyFault``."""
    link, rtt_s = link_goodput(plan.network.vmotion), 2 * plan.network.vmotion.delay_s
    return Prediction(
        plan=plan,
        record=run(plan),
        chance=predict_with_chance(plan, goodput=link, rtt_s=rtt_s, limit=deciding),
        laws=laws(plan, available(plan, link)),
    )


def show(title: str, predictions: list[Prediction], published: Sequence[Claim], console: Console | None = None) -> None:
    """Everything, with what was ``published``, on stdout unless another console is given: the tables are the data."""
    console = console or terminal(sys.stdout)
    console.print(Text(title, "bold"))
    for part in _parts(predictions, published):
        console.print()
        console.print(part)


def _parts(predictions: list[Prediction], published: Sequence[Claim]) -> Iterator[RenderableType]:
    records = [each.record for each in predictions]
    yield from figures_of(records)
    yield legends.FIGURES
    if any(_is_open(each.chance) for each in predictions):
        yield chance_table(predictions)
        yield legends.CHANCE
    yield laws_table(predictions)
    yield legends.LAWS
    if published:
        yield comparisons_table(comparisons(published, records))
    tables = list(feasibility_tables(predictions))
    for table in tables:
        yield feasibility_table(table)
        if table.note:
            yield Text(f"never: the policy's goal is not reached, whatever time it is given; {table.note}")
    if tables:
        yield legends.FEASIBILITY
    yield from (Text(each.why, "yellow") for each in predictions if each.why)
    for each in predictions:
        if not each.record.valid:
            yield Text(f"{each.record.name}: {'; '.join(each.record.invalid_reasons)}", "red")


def chance_table(predictions: list[Prediction]) -> Fitting:
    """A line for each migration of which chance decides more than a rounding: what a finite number of pages leaves open
    of it, and how many of the replicas end as it does.
    """
    table = Fitting(("left to chance", ">total", ">downtime", ">rounds", ">sent", ">end so"))
    for each in predictions:
        if _is_open(each.chance):
            ends = f"{each.chance.alike} of {each.chance.replicas}"
            table.row(each.record.name, *intervals(each.chance), ends)
    return table


def _is_open(prediction: PredictionRecord) -> bool:
    return prediction.alike < prediction.replicas or set(intervals(prediction)) != {NOTHING}


def laws_table(predictions: list[Prediction]) -> Fitting:
    """The closed forms at real-world size: M / (B - D), uniform writes, and the plateau; no throttle, no fixed cost."""
    titles = (">rho", ">M/(B-D)", ">rounds", ">downtime", ">uniform", ">plateau", ">its downtime")
    table = Fitting(("closed forms", *titles))
    for each in predictions:
        time, bytes_ = each.plan.scale.time, each.plan.scale.time * each.plan.scale.size
        laws = each.laws
        table.row(
            each.record.name,
            f"{laws.rho:.3f}",
            _seconds(laws.linear_time_s, time),
            str(laws.linear_rounds or NOTHING),
            _seconds(laws.linear_downtime_s, time),
            _seconds(laws.finite_time_s, time),
            NOTHING if laws.plateau_bytes is None else in_bytes(laws.plateau_bytes * bytes_),
            _seconds(laws.plateau_downtime_s, time),
        )
    return table


def feasibility_tables(predictions: list[Prediction]) -> Iterator[Feasibility]:
    """One a guest and policy, however many links and goals the matrix has; none for a policy without a goal."""
    guests: list[Plan] = []
    for each in predictions:
        if GOAL not in each.plan.migration.policy:
            continue
        bare = _bare(each.plan)
        if bare not in guests:
            guests.append(bare)
            cells = _cells(each.plan)
            never = any(cell.total_time_s is None for cell in cells)
            yield Feasibility(name=_guest(each.plan), cells=cells, note=enough(each.plan) if never else None)


def feasibility_table(of: Feasibility) -> Fitting:
    """Total times, a line a goal, a column a rate."""
    rates = sorted({cell.rate for cell in of.cells})
    table = Fitting((f"{of.name}: downtime goal", *(f">{in_bits_per_second(rate)}" for rate in rates)))
    for goal in sorted({cell.downtime_goal for cell in of.cells}):
        times = [cell.total_time_s for cell in of.cells if cell.downtime_goal == goal]
        table.row(in_seconds(goal), *("never" if time is None else in_seconds(time) for time in times))
    return table


def _cells(plan: Plan) -> list[Cell]:
    """Computed at emulated size, told at real-world size."""
    size, time = plan.scale.size, plan.scale.time
    return [
        Cell(
            rate=cell.rate * size,
            downtime_goal=cell.downtime_goal * time,
            total_time_s=None if cell.total_time_s is None else cell.total_time_s * time,
            downtime_s=None if cell.downtime_s is None else cell.downtime_s * time,
        )
        for cell in feasibility(plan, [rate / size for rate in RATES], [goal / time for goal in GOALS], deciding)
    ]


def _bare(plan: Plan) -> Plan:
    """What a table is about: without the link's rate, the goal, and what only tells the migrations apart."""
    network = replace(plan.network, vmotion=LinkPlan(mtu=plan.network.vmotion.mtu))
    policy = {key: value for key, value in plan.migration.policy.items() if key != GOAL}
    migration = replace(plan.migration, policy=policy)
    return replace(plan, name="", settings={}, network=network, migration=migration, expect="completes")


def _guest(plan: Plan) -> str:
    """What the matrix set beside link and goal; if nothing, its RAM, what it does, and the policy."""
    settings = [f"{path}={label(value)}" for path, value in plan.settings.items() if path not in SWEPT]
    ram = in_bytes(plan.guest.ram_bytes * plan.scale.size * plan.scale.time)
    return " ".join(settings) or f"{plan.guest.workload['name']} {ram} {plan.migration.policy['name']}"


def _seconds(value: float | None, time: float) -> str:
    return NOTHING if value is None else in_seconds(value * time)
