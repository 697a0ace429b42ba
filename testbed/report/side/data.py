"""A comparison of runs for programs: as ``testbed compare --json`` and Python have it."""

from testbed.core.text.from_json import JsonObject
from testbed.report.side import words
from testbed.report.side.comparison import Comparison, ComparisonLine
from testbed.report.side.sentence import sentences


def as_data(comparison: Comparison) -> JsonObject:
    """For programs: seconds and bytes, null where there is nothing to say."""
    return {
        "sentences": sentences(comparison.lines),
        "paired": comparison.paired,
        "not_comparable": comparison.reasons,
        "notes": comparison.notes,
        "lines": lines_as_data(comparison),
    }


def lines_as_data(comparison: Comparison) -> list[JsonObject]:
    """The lines of ``as_data``."""
    return [_as_data(line) for line in comparison.lines]


def _as_data(line: ComparisonLine) -> JsonObject:
    difference = line.difference
    return {
        "migration": line.migration,
        "figure": line.measure.key,
        "size": "real-world" if line.real else "emulated",
        "group": line.group,
        "values": line.values,
        "n": line.spread.n,
        "median": line.spread.median,
        "mean": line.spread.mean,
        "mean_95_t": None if line.spread.low is None else [line.spread.low, line.spread.high],
        "difference_of_means": difference.value if difference else None,
        "difference_95": [difference.low, difference.high] if difference else None,
        "difference_by": None if difference is None else "pairs" if difference.pairs else "welch",
        "smallest_difference": difference.smallest if difference else None,
        "shown": difference.shown if difference else None,
        "p": difference.p if difference else None,
        "p_holm": line.adjusted,
        "significant": line.significant,
        "verdict": words.verdict(line),
    }
