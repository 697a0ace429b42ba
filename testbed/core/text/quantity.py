"""Quantities as people write them: read strictly, with what was meant where they are none, and written again."""

import math
import re
from dataclasses import dataclass

from testbed.core.text.meant import meant, meant_bare
from testbed.core.units import UNITS, Dimension


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """Which numbers may stand without a unit, in the base unit: 0, and from ``least`` to below ``below``."""

    least: float = 0.0
    below: float = math.inf


BARE = {
    Dimension.SIZE: Bare(least=1e6),
    Dimension.BYTE_RATE: Bare(least=1e6),
    Dimension.BIT_RATE: Bare(least=1e6),
    Dimension.INTERVAL: Bare(below=1.0),
}
"""No guest has less than a megabyte, no link less than a megabit a second: such numbers were meant in another unit."""
MOST = 1e308
"""Larger numbers are no quantities."""
_MINUS = re.compile(r"\s*-(?=[0-9])")
_QUANTITY = re.compile(r"\s*([0-9]+(?:_[0-9]{3})*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z/]*)\s*")


def parse(value: object, dimension: Dimension, *, signed: bool = False) -> float:
    """A quantity as written by a person, in its base unit. Raises ``ValueError`` with what was expected.

    A bare number is in the base unit. Infinite and not-a-number are refused, and negative but for a plain number that
    is ``signed``: no quantity here can be so.
    """
    if isinstance(value, int) and abs(value) >= MOST:
        value = float("inf")  # Python refuses to print an integer of thousands of digits
    expected = f"expected {dimension.value}, not {value!r:.80}"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(expected)
    minus = _MINUS.match(str(value)) if dimension is Dimension.NUMBER else None
    match = _QUANTITY.fullmatch(str(value), minus.end() if minus and signed else 0)
    if not match:
        raise ValueError(expected + _hint(value, dimension, " (0 or more)" if minus else ""))
    number, unit = float(match[1].replace("_", "")), match[2]
    units = UNITS[dimension]
    if unit and unit not in units:
        raise ValueError(expected + _hint(value, dimension, f" (units: {', '.join(units) or 'none'})"))
    result = number * (units[unit] if unit else 1.0)
    if not math.isfinite(result):
        raise ValueError(expected)
    return -result if minus and signed else result


def read(value: object, dimension: Dimension, bare: Bare | None = None, *, signed: bool = False) -> float:
    """A quantity of a scenario: as ``parse``, but a bare number that can hardly be meant in the base unit is refused.

    A link of 10 bit/s was meant as one of 10 Gbit/s. ``bare``: what may be without a unit; default: ``BARE`` of its
    dimension. ``signed`` as in ``parse``. Raises ``ValueError`` with both ways to write it.
    """
    number = parse(value, dimension, signed=signed)
    allowed = bare or BARE.get(dimension)
    if allowed is None or number <= 0 or allowed.least <= number < allowed.below or has_unit(value):
        return number
    base = next(iter(UNITS[dimension]))
    base = base if dimension not in (Dimension.TIME, Dimension.INTERVAL) else "s"
    said = value if isinstance(value, str) else f"{value:.15g}"
    raise ValueError(
        f"{said} without a unit is {said} {base}; did you mean '{meant_bare(number, dimension)}'? "
        f"(write '{said}{base}' if it is meant so)"
    )


def has_unit(value: object) -> bool:
    """Whether a quantity that ``parse`` takes says its unit."""
    return isinstance(value, str) and value.strip()[-1:].isalpha()


def _hint(value: object, dimension: Dimension, otherwise: str) -> str:
    right = meant(str(value)[:80], dimension)
    return otherwise if right is None else f"; did you mean '{right}'?"


def written(value: float, dimension: Dimension) -> str:
    """The shortest text that ``parse`` reads back as exactly this value: ``128GiB``, ``27.5MB/s``, ``500ms``."""
    bare = repr(int(value) if float(value).is_integer() else float(value))
    base = next((unit for unit, factor in UNITS[dimension].items() if factor == 1.0 and value), "")
    choices = [(len(bare), 0.0, bare + base)]
    for unit, factor in UNITS[dimension].items():
        number = f"{value / factor:.15g}"
        if not unit.endswith("bit/s") and value >= factor and parse(number + unit, dimension) == value:
            choices.append((len(number), -factor, number + unit))
    return min(choices)[2]
