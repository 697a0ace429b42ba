"""Two working sets in one: a small part of the pages gets most of the writes."""

from dataclasses import dataclass

import numpy as np

from guest_agent.memory.hashing import Numbers, below, mix, share
from guest_agent.workloads import register
from testbed.core.units import ByteRate, Bytes


@register("hot-cold")
@dataclass(frozen=True, slots=True, kw_only=True)
class HotCold:
    """``hot_share`` of the working set, its first pages, gets ``hot_rate_share`` of the writes; both 0..1."""

    working_set: Bytes | None = None
    write_rate: ByteRate = 100e6
    hot_share: float = 0.1
    hot_rate_share: float = 0.9

    def __post_init__(self) -> None:
        for name in ("hot_share", "hot_rate_share"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must lie between 0 and 1, not {getattr(self, name)}")

    def pages(self, operations: Numbers, random: Numbers, size: int) -> Numbers:
        """One hash says hot or cold, the other which page."""
        hot = max(1, min(size - 1, round(size * self.hot_share)))
        cold_pages = np.uint64(hot) + below(random, size - hot) if size > 1 else below(random, size)
        return np.where(share(mix(random), self.hot_rate_share), below(random, hot), cold_pages)
