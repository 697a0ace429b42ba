"""Figures with as many digits as they deserve: four at least, and more where their interval is so narrow that it asks
for them. What belongs together is written in one unit.
"""

from collections.abc import Sequence
from math import floor, log10
from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["s", "B", ""]
FOUR, OF_WIDTH, MOST = 4, 2, 9
"""Digits of a figure at least; of its interval's width; behind the point at most."""
PREFIXES: dict[Unit, tuple[tuple[str, float], ...]] = {
    "s": (("", 1.0), ("m", 1e-3), ("u", 1e-6)),
    "B": (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0)),
    "": (("", 1.0),),
}


def quoted(unit: Unit, value: float, low: float | None = None, high: float | None = None) -> str:
    """``21.34 s``, or with its interval ``21.340 s [21.336, 21.344]``."""
    return " ".join(parted(unit, value, low, high)).rstrip()


def parted(unit: Unit, value: float, low: float | None, high: float | None) -> tuple[str, str]:
    """``21.340 s`` and ``[21.336, 21.344]``, with the same digits; the latter empty where there is no interval."""
    prefix, factor = _prefix(unit, value)
    scaled = [each / factor for each in (value, low, high) if each is not None]
    width = scaled[2] - scaled[1] if len(scaled) == 3 else 0.0
    places = 0 if all(each.is_integer() for each in scaled) else _places(scaled[0], width)
    first, *ends = (f"{each:,.{places}f}" for each in scaled)
    return f"{first} {prefix}{unit}".rstrip(), f"[{', '.join(ends)}]" if ends else ""


def per_cent(values: Sequence[float], width: float = 0.0) -> list[str]:
    """Shares with their signs, ``-12.3%``; with two digits of ``width`` where that is narrow."""
    places = 1 if not width else min(MOST, max(1, OF_WIDTH - 1 - floor(log10(100 * width))))
    return [f"{value:+.{places}%}" for value in values]


def _prefix(unit: Unit, value: float) -> tuple[str, float]:
    """The largest that leaves at least one."""
    prefixes = PREFIXES[unit]
    return next((each for each in prefixes if abs(value) >= each[1]), prefixes[-1] if value else prefixes[0])


def _places(value: float, width: float) -> int:
    """Digits behind the point."""
    wanted = [FOUR - 1 - floor(log10(abs(value)))] if value else [0]
    wanted += [OF_WIDTH - 1 - floor(log10(width))] if width > 0 else []
    return min(MOST, max(0, *wanted))
