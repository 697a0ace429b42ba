"""Every page of the working set equally often, in no order."""

from dataclasses import dataclass

from guest_agent.memory.hashing import Numbers, below
from guest_agent.workloads import register
from testbed.core.units import ByteRate, Bytes


@register("uniform")
@dataclass(frozen=True, slots=True, kw_only=True)
class Uniform:
    """Pages drawn at random: after t seconds at rate w a set of s bytes has s (1 - exp(-w t / s)) bytes dirty."""

    working_set: Bytes | None = None
    write_rate: ByteRate = 100e6

    def pages(self, operations: Numbers, random: Numbers, size: int) -> Numbers:
        """By the operation's hash."""
        return below(random, size)
