"""Measured against predicted, figure by figure, for the terminal and the page: where chance decides, an interval."""

from collections.abc import Callable
from dataclasses import dataclass

from testbed.core.records.migration import MigrationRecord, PredictionRecord
from testbed.core.units import in_bytes, in_seconds

NOTHING = "-"
WITHIN = "within"
ROUNDING = 0.01
"""An interval that is narrower than this share of it is no more than a rounding, and is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """One figure: ``measured``, what was ``said``, and how far it is ``off``, in per cent or in rounds: from the
    figure, or from the end of the interval that it missed; ``WITHIN`` when it did not.
    """

    name: str
    measured: str
    said: str
    off: str


def foretold(record: MigrationRecord) -> list[Foretold]:
    """Total time, downtime, rounds, bytes; nothing where nothing was predicted."""
    prediction = record.predicted
    if prediction is None:
        return []
    rounds = len(record.rounds) or None
    return [
        _figure("total time", record.total_time_s, prediction, "total_time_s", in_seconds, _share),
        _figure("downtime", record.downtime_s, prediction, "downtime_s", in_seconds, _share),
        _figure(
            "rounds", rounds, prediction, "rounds", lambda count: f"{count:.0f}", lambda seen, end: f"{seen - end:+.0f}"
        ),
        _figure("sent", record.bytes_sent, prediction, "bytes_sent", in_bytes, _share),
    ]


def intervals(prediction: PredictionRecord) -> list[str]:
    """What chance leaves open of the figures of ``foretold``, in their order; ``NOTHING`` where that is a rounding."""
    writes = {"total_time_s": in_seconds, "downtime_s": in_seconds, "rounds": "{:.0f}".format, "bytes_sent": in_bytes}
    ends = [(_ends(prediction, key), write) for key, write in writes.items()]
    return [NOTHING if each is None else between(*each, write) for each, write in ends]


def between(low: float, high: float, write: Callable[[float], str]) -> str:
    """``11.5 to 11.9 s``: the unit once, where it is the same."""
    first, last = write(low), write(high)
    number, _, unit = first.partition(" ")
    return f"{number if unit == last.partition(' ')[2] else first} to {last}"


def _figure(
    name: str,
    value: float | None,
    prediction: PredictionRecord,
    key: str,
    write: Callable[[float], str],
    apart: Callable[[float, float], str],
) -> Foretold:
    expected, ends = getattr(prediction, key), _ends(prediction, key)
    measured = NOTHING if value is None else write(value)
    if ends is None:
        told = NOTHING if expected is None else write(expected)
        off = NOTHING if value is None or not expected else apart(value, expected)
        return Foretold(name=name, measured=measured, said=told, off=off)
    if value is None:
        off = NOTHING
    elif ends[0] <= value <= ends[1]:
        off = WITHIN
    else:
        off = apart(value, min(ends, key=lambda end: abs(end - value)))
    return Foretold(name=name, measured=measured, said=between(*ends, write), off=off)


def _ends(prediction: PredictionRecord, key: str) -> tuple[float, float] | None:
    """The interval; None where there is none, or it is a rounding."""
    low, high = getattr(prediction.low, key, None), getattr(prediction.high, key, None)
    return None if low is None or high is None or high <= low * (1 + ROUNDING) else (low, high)


def _share(value: float, end: float) -> str:
    return f"{value / end - 1:+.1%}" if end else NOTHING
