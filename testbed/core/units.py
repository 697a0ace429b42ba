"""What a number counts, its units, how people are told of it, and how it shrinks when an experiment is scaled down.

    dimension    inside              in a file                      scaled by (size S, time C)
    SIZE         int, bytes          128GiB, 2048MB, 4096           / (S * C)
    BYTE_RATE    float, bytes/s      27.5MB/s, 14.1Gbit, 14.1Gbit/s / S
    BIT_RATE     float, bit/s        10Gbit, 150Mbit/s              / S
    TIME         float, seconds      500ms, 0.5s, 2min              / C
    PER_SECOND   float, 1/s          2000/s, 2000                   / S
    INTERVAL     float, seconds      10ms between two operations    * S
    BLOCK        int, bytes          4KiB of one operation          not at all, as pages are not
    NUMBER       int or float        3, 0.5                         not at all

Byte units are powers of ten (MB) or of two (MiB); bit units are powers of ten, as link rates are.
A field of a policy or workload says its dimension in its type (``Bytes``, ``ByteRate``...), and nothing else is
needed for it to be read from YAML with units, scaled, and printed.
"""

import math
from collections.abc import Sequence
from enum import Enum
from typing import Annotated, TypeAlias

PAGE_SIZE = 4096
"""Bytes of a page, the grain of dirty tracking on x86-64 and on arm64 kernels with 4 KiB pages."""


class Dimension(Enum):
    """What a quantity counts."""

    SIZE = "a size such as 128GiB or 2048MB"
    BYTE_RATE = "a rate such as 27.5MB/s or 14.1Gbit"
    BIT_RATE = "a link rate such as 10Gbit or 150Mbit"
    TIME = "a time such as 500ms or 2s"
    PER_SECOND = "a number a second such as 2000/s"
    INTERVAL = "a time between operations such as 10ms"
    BLOCK = "a size of one operation such as 4KiB"
    NUMBER = "a number"


Bytes: TypeAlias = Annotated[int, Dimension.SIZE]
ByteRate: TypeAlias = Annotated[float, Dimension.BYTE_RATE]
Seconds: TypeAlias = Annotated[float, Dimension.TIME]
PerSecond: TypeAlias = Annotated[float, Dimension.PER_SECOND]
Block: TypeAlias = Annotated[int, Dimension.BLOCK]
Interval: TypeAlias = Annotated[float, Dimension.INTERVAL]
"""The inverse of a rate, and so scaled as one: a client that thinks 10 ms offers 100 requests a second."""

_PREFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_BYTES: dict[str, float] = {f"{p}B": n for p, n in (_PREFIXES | {"K": 10**3} | _BINARY).items()}
_BITS: dict[str, float] = {f"{p}bit": n for p, n in (_PREFIXES | {"K": 10**3}).items()}
_TIMES: dict[str, float] = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}

UNITS: dict[Dimension, dict[str, float]] = {
    Dimension.SIZE: _BYTES,
    Dimension.BYTE_RATE: {f"{u}/s": n for u, n in _BYTES.items()}
    | {u: n / 8 for u, n in _BITS.items()}
    | {f"{u}/s": n / 8 for u, n in _BITS.items()},
    Dimension.BIT_RATE: _BITS | {f"{u}/s": n for u, n in _BITS.items()},
    Dimension.TIME: _TIMES,
    Dimension.PER_SECOND: {"/s": 1.0},
    Dimension.INTERVAL: _TIMES,
    Dimension.BLOCK: _BYTES,
    Dimension.NUMBER: {},
}


ROUNDS_UP = 0.9995
"""From here on three digits make it one."""


def scaled(value: float, dimension: Dimension, size: float, time: float) -> float:
    """A real-world quantity at emulated size: the scaling law that keeps every dimensionless group (docs/design.md)."""
    match dimension:
        case Dimension.SIZE:
            return value / (size * time)
        case Dimension.BYTE_RATE | Dimension.BIT_RATE | Dimension.PER_SECOND:
            return value / size
        case Dimension.INTERVAL:
            return value * size
        case Dimension.TIME:
            return value / time
        case Dimension.NUMBER | Dimension.BLOCK:
            return value


def in_bytes(size: float) -> str:
    """``8.0 MB``, as people quote it."""
    return _with_prefix(size, "B")


def in_bytes_per_second(rate: float) -> str:
    """A rate in bytes, as people quote it: ``128 MB/s``."""
    return _with_prefix(rate, "B/s")


def in_bits_per_second(rate: float) -> str:
    """A rate in bits, as people quote it: ``10 Gbit/s``."""
    return _with_prefix(rate, "bit/s")


def in_seconds(time: float) -> str:
    """``62 ms``, ``21.3 s``, ``850 us``."""
    if time == 0 or not math.isfinite(time):
        return f"{_three(time)} s"
    return _with_prefix(time, "s", (("", 1.0), ("m", 1e-3), ("u", 1e-6)))


def by_hand(what: str, value: float | None) -> str:
    """What somebody does to a migration, as people say it: ``cut``, ``rate 300 Mbit/s``, ``throttle 50%``."""
    if value is None:
        return what
    return f"{what} {in_bits_per_second(value) if what == 'rate' else f'{value:.0%}'}"


_LARGE = (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0))


def _with_prefix(value: float, unit: str, prefixes: Sequence[tuple[str, float]] = _LARGE) -> str:
    """With the largest prefix that leaves at least one *as written*: 999,999 is 1.0 M, not 1,000 k."""
    for prefix, factor in prefixes:
        if abs(value) >= factor * ROUNDS_UP:
            return f"{_three(value / factor)} {prefix}{unit}"
    prefix, factor = prefixes[-1]
    return f"{_three(value / factor)} {prefix}{unit}"


def _three(value: float) -> str:
    """Three digits from ten on, two below; whole numbers from a hundred on."""
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= ROUNDS_UP or value == 0 else f"{value:.2g}"
