"""A comparison of runs in words and tables: medians, intervals, the difference, the verdict."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from testbed.core.units import in_bytes, in_seconds
from testbed.report.side_by_side import Line

HEADS = ("migration", "figure", "group", "n", "median", "mean, 95 % (t)", "difference", "verdict")


def rows(lines: Sequence[Line]) -> list[list[str]]:
    """A row a line, as in ``HEADS``."""
    return [
        [
            line.migration,
            line.figure,
            line.group,
            str(line.spread.n),
            quantity(line.figure, line.spread.median),
            interval(line),
            change(line),
            verdict(line),
        ]
        for line in lines
    ]


def table(lines: Sequence[Line]) -> Table:
    """For a terminal. The migration's name stands there only where there are several."""
    made, named = Table(box=None, pad_edge=False, header_style="bold"), any(line.migration for line in lines)
    for head in HEADS[0 if named else 1 :]:
        made.add_column(head, overflow="fold", justify="right" if head in ("n", "median", "difference") else "left")
    for row in rows(lines):
        made.add_row(*(Text(cell) for cell in row[0 if named else 1 :]))
    return made


def verdict(line: Line) -> str:
    """In words; empty for the group that the others are held against."""
    if line.base is None:
        return ""
    if line.difference is None:
        return "too few repeats to tell it from noise; run with --repeat 5"
    smallest = share(line.difference.smallest, line.base)
    if not line.difference.shown:
        return f"no difference seen; one below {smallest} would be missed"
    way = "less" if line.difference.value < 0 else "more"
    return f"{way}, beyond the noise; it would hide up to {smallest}"


def change(line: Line) -> str:
    """Of means, in per cent of the first group's, with its interval."""
    if line.base is None:
        return ""
    if line.difference is None:
        return signed(line.spread.mean - line.base, line.base)
    seen = line.difference
    return f"{signed(seen.value, line.base)} [{signed(seen.low, line.base)}, {signed(seen.high, line.base)}]"


def interval(line: Line) -> str:
    """``21.3 s [21.2 s, 21.4 s]``; only the mean where one repeat says nothing about noise."""
    known, figure = line.spread, line.figure
    mean = quantity(figure, known.mean)
    if known.low is None or known.high is None:
        return mean
    return f"{mean} [{quantity(figure, known.low)}, {quantity(figure, known.high)}]"


def quantity(figure: str, value: float) -> str:
    """In the figure's unit."""
    if figure.endswith("_s"):
        return in_seconds(value)
    return in_bytes(value) if figure == "bytes_sent" else f"{value:g}"


def signed(value: float, base: float) -> str:
    """``-12.3 %``."""
    return f"{value / base:+.1%}" if base else "-"


def share(value: float, base: float) -> str:
    """``3.2 %`` of the first group's mean."""
    return f"{abs(value / base):.1%}" if base else "-"


def as_data(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """For programs: seconds and bytes, null where there is nothing to say."""
    return [
        {
            "migration": line.migration,
            "figure": line.figure,
            "group": line.group,
            "values": line.values,
            "n": line.spread.n,
            "median": line.spread.median,
            "mean": line.spread.mean,
            "mean_95_t": None if line.spread.low is None else [line.spread.low, line.spread.high],
            "difference_of_means": line.difference.value if line.difference else None,
            "difference_95_welch": [line.difference.low, line.difference.high] if line.difference else None,
            "smallest_difference": line.difference.smallest if line.difference else None,
            "shown": line.difference.shown if line.difference else None,
            "verdict": verdict(line),
        }
        for line in lines
    ]
