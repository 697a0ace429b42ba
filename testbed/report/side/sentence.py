"""What a comparison comes to, in sentences: who is faster, by how much, and where nobody can tell."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import isclose

from testbed.report.side.comparison import CONSTANT, FEW, HALF, MODEL, ComparisonLine
from testbed.report.side.words import share
from testbed.report.words.digits import per_cent, quoted

TOLD = {
    "total_time_s": ("is faster than", "is slower than", "is as fast as"),
    "downtime_s": ("has a shorter downtime than", "has a longer downtime than", "has the same downtime as"),
}
"""The figures that sentences are about, and how a group is said to be beside the first: by less, by more, and alike."""


def sentences(lines: Sequence[ComparisonLine]) -> list[str]:
    """One for each group beside the first, migration and figure of ``TOLD``, in the order of the lines."""
    return list(_sentences([line for line in lines if line.measure.key in TOLD]))


def _sentences(lines: Sequence[ComparisonLine]) -> Iterator[str]:
    for (migration, _), found in groupby(lines, key=lambda line: (line.migration, line.measure.key)):
        first, *others = found
        for line in others:
            if line.base is not None:
                yield f"{f'{migration}: ' if migration else ''}{_of(first, line)}."


def _of(first: ComparisonLine, line: ComparisonLine) -> str:
    """``b is faster than a: 10.00 s instead of 20.00 s, 50.0% less (95 % interval: 49.1% to 50.9%)``."""
    less, more, alike = TOLD[line.measure.key]
    size = " at real-world size" if line.real else ""
    untold = f"{line.measure.words}: no difference can be told between {line.group} and {first.group}"
    if line.doubt == FEW:
        return f"{untold}, of too few repeats: {_mean(line)} against {_mean(first)}{size}"
    if line.doubt == HALF:
        return f"{untold}, since {HALF}: {_mean(line)} against {_mean(first)}{size}"
    if isclose(line.spread.mean, first.spread.mean, rel_tol=1e-9):
        return f"{line.group} {alike} {first.group}: {_mean(line)}{size}{_by(line)}"
    if line.difference and not line.significant:
        smallest = share(line.difference.smallest, first.spread.mean)
        return f"{untold}: {_mean(line)} against {_mean(first)}{size}; one below {smallest} would be missed"
    way = less if line.spread.mean < first.spread.mean else more
    both = f"{_mean(line)} instead of {_mean(first)}{size}"
    return f"{line.group} {way} {first.group}: {both}{_much(first, line)}{_by(line)}"


def _mean(line: ComparisonLine) -> str:
    return quoted(line.measure.unit, line.spread.mean)


def _much(first: ComparisonLine, line: ComparisonLine) -> str:
    """By which share, and between which, both without a sign: the words have it."""
    base, difference = abs(first.spread.mean), line.difference
    if not base:
        return ""
    word = "less" if line.spread.mean < first.spread.mean else "more"
    if difference is None:
        return f", {_unsigned([abs(line.spread.mean - first.spread.mean) / base])[0]} {word}"
    sign = -1 if word == "less" else 1
    ends = sorted(sign * each / base for each in (difference.low, difference.high))
    much, low, high = _unsigned([abs(difference.value) / base, *ends], ends[1] - ends[0])
    return f", {much} {word} (95 % interval: {low} to {high})"


def _unsigned(shares: Sequence[float], width: float = 0.0) -> list[str]:
    return [each.lstrip("+") for each in per_cent(shares, width)]


def _by(line: ComparisonLine) -> str:
    """On what it rests where that is no interval."""
    return {MODEL: ", by the model", CONSTANT: ", in every repeat"}.get(line.doubt, "")
