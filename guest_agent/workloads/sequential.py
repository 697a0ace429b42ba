"""The working set from its first page to its last, again and again."""

from dataclasses import dataclass

import numpy as np

from guest_agent.memory.hashing import Numbers
from guest_agent.workloads import register
from testbed.core.units import ByteRate, Bytes


@register("sequential")
@dataclass(frozen=True, slots=True, kw_only=True)
class Sequential:
    """No page twice until all were written, so the dirty rate is the write rate until the set is covered."""

    working_set: Bytes | None = None
    write_rate: ByteRate = 100e6

    def pages(self, operations: Numbers, random: Numbers, size: int) -> Numbers:
        """By the operation's number."""
        return operations % np.uint64(size)
