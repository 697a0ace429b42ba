"""What a person meant who wrote a quantity that is none, or none to believe: ``40Gbps`` is ``40Gbit``, ``256mb``
``256MB``, and a link of ``10`` is one of ``10Gbit``.
"""

import math
import re

from testbed.core.units import UNITS, Dimension

_WRITTEN = re.compile(r"\s*\+?([0-9][0-9_]*(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]+)?|[.,][0-9]+)\s*(.*?)\s*")
_DATA = re.compile(r"([kmgt]?)(i?)(bits?|bytes?|b?)(/s|/sec|ps|)", re.IGNORECASE)
_TIMES = {
    "us": {"µs", "μs", "usec", "usecs", "microsecond", "microseconds"},
    "ms": {"msec", "msecs", "milli", "millis", "millisecond", "milliseconds"},
    "s": {"sec", "secs", "second", "seconds"},
    "min": {"m", "mins", "minute", "minutes"},
    "h": {"hr", "hrs", "hour", "hours"},
}
_NUMBERS_A_SECOND = {"hz", "iops", "ops", "1/s", "ops/s", "/sec", "ps", "per second", "per s", "op/s", "tps"}
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_THOUSANDS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+")

_BARE: dict[Dimension, tuple[str, str]] = {
    Dimension.SIZE: ("GiB", "MiB"),
    Dimension.BYTE_RATE: ("MB/s", "kB/s"),
    Dimension.BIT_RATE: ("Gbit", "Mbit"),
    Dimension.TIME: ("ms", "ms"),
    Dimension.INTERVAL: ("ms", "ms"),
}
"""For each kind the units that a bare number is likeliest of: a small one, and one from a thousand on."""


def meant(text: str, dimension: Dimension) -> str | None:
    """The right spelling of ``text``; None where that cannot be told."""
    match = _WRITTEN.fullmatch(text)
    if not match:
        return None
    number, word = _number(match[1]), match[2]
    if number is None:
        return None
    if dimension is Dimension.NUMBER:
        return _plain(float(number) / 100) if word == "%" else number if not word else None
    return _with_unit(number, word, dimension)


def meant_bare(number: float, dimension: Dimension) -> str:
    """A bare number with the unit that it was likeliest meant in: ``10`` of a link rate is ``10Gbit``."""
    small, large = _BARE[dimension]
    return f"{_plain(number)}{small if number < 1000 else large}"


def _number(text: str) -> str | None:
    """As ``parse`` reads it; a comma is a decimal point, or parts thousands."""
    text = text.replace("_", "")
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    text = text.replace(",", ".")
    if text.count(".") > 1:
        return None
    return f"0{text}" if text.startswith(".") else text


def _with_unit(number: str, word: str, dimension: Dimension) -> str | None:
    if not word:
        return number
    match dimension:
        case Dimension.TIME | Dimension.INTERVAL:
            unit = _time(word)
        case Dimension.PER_SECOND:
            unit = "/s" if word.lower() in _NUMBERS_A_SECOND else None
        case _:
            return _data(number, word, dimension)
    return None if unit is None else number + unit


def _time(word: str) -> str | None:
    lower = word.lower()
    return lower if lower in _TIMES else next((unit for unit, words in _TIMES.items() if lower in words), None)


def _data(number: str, word: str, dimension: Dimension) -> str | None:
    """Bytes or bits, at once or a second. An upper-case B is a byte and a lower-case one a bit, where either may be."""
    match = _DATA.fullmatch(word)
    if not match or (match[2] and not match[1]):
        return None
    prefix, binary, unit, per = match[1], match[2], match[3], match[4]
    bits = unit.lower().startswith("bit") or (unit == "b" and bool(per))
    size = ("k" if prefix.lower() == "k" else prefix.upper()) if not binary else f"{prefix.upper()}i"
    match dimension:
        case Dimension.SIZE | Dimension.BLOCK:
            return None if per or unit.lower().startswith("bit") else f"{number}{size}B"
        case Dimension.BYTE_RATE:
            return f"{number}{size.rstrip('i')}bit" if bits else f"{number}{size}B/s"
        case _:
            return _bits(number, size, whole_bytes=unit == "B" or unit.lower().startswith("byte"))


def _bits(number: str, size: str, *, whole_bytes: bool) -> str | None:
    if whole_bytes:
        rate = float(number) * UNITS[Dimension.BYTE_RATE][f"{size}B/s"] * 8
        if not math.isfinite(rate):
            return None
        factor, prefix = next(((f, p) for f, p in _PREFIXES if rate >= f), (1.0, ""))
        return f"{_plain(rate / factor)}{prefix}bit"
    return f"{number}{size.rstrip('i')}bit" if not size.endswith("i") else None


def _plain(number: float) -> str:
    return f"{number:.12g}"
