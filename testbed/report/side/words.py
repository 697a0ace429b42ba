"""A comparison of runs in words and tables: medians, intervals, the difference, the verdict."""

from collections.abc import Sequence

from testbed.report.side.comparison import ComparisonLine
from testbed.report.words.digits import per_cent, quoted
from testbed.report.words.tables import Fitting

HEADS = ("migration", "figure", "group", "n", "median", "mean, 95 % (t)", "difference", "verdict")


def rows(lines: Sequence[ComparisonLine]) -> list[list[str]]:
    """A row a line, as in ``HEADS``."""
    return [
        [
            line.migration,
            figure(line),
            line.group,
            str(line.spread.n),
            quoted(line.measure.unit, line.spread.median),
            quoted(line.measure.unit, line.spread.mean, line.spread.low, line.spread.high),
            change(line),
            verdict(line),
        ]
        for line in lines
    ]


def table(lines: Sequence[ComparisonLine]) -> Fitting:
    """For a terminal. The migration's name stands there only where there are several."""
    first = 0 if any(line.migration for line in lines) else 1
    fitting = Fitting([f">{head}" if head in ("n", "median") else head for head in HEADS[first:]], prose=("verdict",))
    for row in rows(lines):
        fitting.row(*row[first:])
    return fitting


def figure(line: ComparisonLine) -> str:
    """In words: ``total time``; and of which size, where that is not the emulated one."""
    return f"{line.measure.words}, real-world" if line.real else line.measure.words


def verdict(line: ComparisonLine) -> str:
    """In words; empty for the group that the others are held against."""
    if line.difference is None or line.base is None:
        return line.doubt
    smallest = share(line.difference.smallest, line.base)
    if not line.difference.shown:
        return f"no difference seen; one below {smallest} would be missed"
    way = "less" if line.difference.value < 0 else "more"
    if not line.significant:
        return f"{way}, beyond the noise by itself, not among all figures (Holm); it would hide up to {smallest}"
    return f"{way}, beyond the noise; it would hide up to {smallest}"


def change(line: ComparisonLine) -> str:
    """The difference of means in per cent of the first group's, with its interval; empty for that group itself."""
    if line.base is None:
        return ""
    if not line.base:
        return "-"
    if line.difference is None:
        return per_cent([line.spread.mean / line.base - 1])[0]
    difference, base = line.difference, abs(line.base)
    ends = [each / base for each in (difference.value, difference.low, difference.high)]
    value, low, high = per_cent(ends, ends[2] - ends[1])
    return f"{value} [{low}, {high}]"


def share(value: float, base: float) -> str:
    """``3.2%`` of the first group's mean."""
    return per_cent([abs(value / base)], abs(value / base))[0].lstrip("+") if base else "-"
