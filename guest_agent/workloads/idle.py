"""A guest that does nothing but live: its heartbeat touches page 0 alone."""

from dataclasses import dataclass

import numpy as np

from guest_agent.memory.hashing import NOWHERE, Numbers
from guest_agent.workloads import register
from testbed.core.units import ByteRate, Bytes


@register("idle")
@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """About a thousand operations a second, none of which writes a page of the working set."""

    @property
    def working_set(self) -> Bytes | None:
        """None of its own."""
        return None

    @property
    def write_rate(self) -> ByteRate:
        """No pages at all."""
        return 0.0

    def pages(self, operations: Numbers, random: Numbers, size: int) -> Numbers:
        """``NOWHERE`` for each operation, shape as ``operations``."""
        return np.full(operations.shape, NOWHERE)
