"""A run in a sentence or two: what came out, how that compares with what was published, and whether to believe it."""

from collections.abc import Sequence

from testbed.core.records.migration import ComparisonRecord, MigrationRecord, Summary
from testbed.core.units import in_bytes, in_seconds
from testbed.runfiles.summary_reader import doubts

GAVE_UP = "gave up"


def answer(summary: Summary) -> str:
    """What came out, and how that compares with what was published."""
    total = len(summary.migrations)
    completed = [each for each in summary.migrations if each.outcome == "completed"]
    expected = [each for each in summary.migrations if each.outcome == "aborted" and each.valid]
    sentences = []
    if total == len(completed) == 1:
        sentences.append(_single(completed[0]))
    elif completed:
        totals, downs = [each.total_time_s for each in completed], [each.downtime_s for each in completed]
        sentences.append(
            f"{len(completed)} of {total} migrations completed, in {span(totals)}, with a downtime of {span(downs)}."
        )
    elif not expected:
        sentences.append(_none(summary.migrations))
    if expected:
        sentences.append(_as_expected(expected, total))
    return " ".join([*sentences, *(_held_against(each) for each in _reductions(summary.comparisons))])


def verdict(summary: Summary) -> str:
    """Whether the figures may be believed."""
    if not summary.valid:
        return "not valid: edited or damaged" if doubts(summary) else "not valid"
    return (
        "valid: every check held" if summary.engine != "simulated" else "simulated: a model's figures, no measurement"
    )


def span(values: Sequence[float | None]) -> str:
    """``21.3 s``, or ``14 to 120 ms`` where there are several."""
    lengths = sorted(value for value in values if value is not None)
    if not lengths:
        return "unknown length"
    low, high = in_seconds(lengths[0]), in_seconds(lengths[-1])
    return low if low == high else f"{low} to {high}"


def _single(record: MigrationRecord) -> str:
    down = f", and stood still for {in_seconds(record.downtime_s)} of that" if record.downtime_s is not None else ""
    took = span([record.total_time_s])
    return (
        f"The guest moved with {in_bytes(record.vm.ram_bytes)} of memory in {took}, {len(record.rounds)} rounds{down}."
    )


def _none(migrations: Sequence[MigrationRecord]) -> str:
    """One reason and a count: the others are much like it, and stand with each migration."""
    if not migrations:
        return "No migration completed: no migration was made."
    reasons = dict.fromkeys(each.reason for each in migrations)
    first = next(iter(reasons))
    if len(reasons) == 1:
        return f"No migration completed: {first}."
    return f"None of {len(migrations)} migrations completed; the first: {first}."


def _as_expected(gave_up: Sequence[MigrationRecord], total: int) -> str:
    """Of migrations that were to give up, and did."""
    who = "the migration" if total == 1 else f"{len(gave_up)} of {total} migrations"
    if total > 1 and len(gave_up) == total:
        who = "both migrations" if total == 2 else f"all {total} migrations"
    reason = gave_up[0].reason
    after = reason.removeprefix(GAVE_UP) if reason.startswith(GAVE_UP) else f": {reason}"
    if total == 1:
        return f"As the scenario expects, {who} {GAVE_UP}{after}."
    return f"As the scenario expects, {who} {GAVE_UP}; the first{after}."


def _reductions(comparisons: Sequence[ComparisonRecord]) -> list[ComparisonRecord]:
    return [each for each in comparisons if each.over and each.measured is not None]


def _held_against(each: ComparisonRecord) -> str:
    if each.unit == "ratio":
        figure = each.name.partition(" ")[0].replace("_", " ")
        asked = "" if each.published is None else f" (expected: at least {each.published:g})"
        return f"The {figure} is {each.measured:.1f} times as long at {each.a} as at {each.b}{asked}."
    published = "" if each.published is None else f" (published: {each.published:.0%})"
    figure, _, where = each.name.partition(" ")
    at = f", {where.replace('=', ' ')}" if where else ""
    return f"From {each.a} to {each.b} the {figure.replace('_', ' ')} falls by {each.measured:.1%}{published}{at}."
