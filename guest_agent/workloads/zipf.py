"""Zipf's law: the page of rank r gets writes in proportion to 1 / r^exponent."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from guest_agent.memory.hashing import Numbers, below, mix
from guest_agent.workloads import register
from testbed.core.units import ByteRate, Bytes

_STEPS = 1 << 16


@register("zipf")
@dataclass(frozen=True, slots=True, kw_only=True)
class Zipf:
    """Ranks run from the first page of the working set (the hottest) to its last."""

    working_set: Bytes | None = None
    write_rate: ByteRate = 100e6
    exponent: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.exponent <= 4:
            raise ValueError(f"exponent must lie between 0 and 4, not {self.exponent}")

    def pages(self, operations: Numbers, random: Numbers, size: int) -> Numbers:
        """One hash chooses among equally likely runs of ranks, the other a page of the run."""
        first, length = _runs(size, self.exponent)
        run = below(random, _STEPS)
        return first[run] + (((mix(random) >> np.uint64(32)) * length[run]) >> np.uint64(32))


@lru_cache(maxsize=8)
def _runs(size: int, exponent: float) -> tuple[Numbers, Numbers]:
    """65,536 runs of ranks, (first, length), equally likely: the inverse of the continuous law's distribution.

    F(x) = (x^(1-s) - 1) / ((size+1)^(1-s) - 1) on 1..size+1, or log x / log(size+1) for s = 1. A table and integers,
    rather than a power for each operation: a vectorised power may differ in its last bit with the array's length.
    """
    quantiles = np.arange(_STEPS + 1) / _STEPS
    if abs(exponent - 1) < 1e-9:
        edges = np.exp(quantiles * np.log(size + 1.0))
    else:
        edges = (quantiles * ((size + 1.0) ** (1 - exponent) - 1) + 1) ** (1 / (1 - exponent))
    ranks = np.clip(np.floor(edges).astype(np.int64) - 1, 0, size - 1)
    first, length = ranks[:-1], np.maximum(1, ranks[1:] - ranks[:-1])
    return first.astype(np.uint64), length.astype(np.uint64)
