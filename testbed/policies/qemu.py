"""As QEMU with auto-converge: the guest loses CPU, in steps, while it dirties more than half of what is sent.

At each bitmap sync: dirtied bytes > 50 % of the bytes sent since the last one, and this seen twice (the count starts
anew only when it triggers), takes 20 % of the CPU, then 10 % more each time, at most 99 %. Stop when what is left takes
no longer than the downtime limit, 300 ms. Sources: QEMU commits dc14a470 and 070afca, migration/options.c
(throttle-trigger-threshold, cpu-throttle-initial, cpu-throttle-increment, max-cpu-throttle, downtime-limit).
QEMU's first sync that counts ends the full copy, and so does ours: round 1 can be the first of the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.core.rounds import Action, Decision, Round, Throttle
from testbed.core.units import Seconds
from testbed.policies import register
from testbed.policies.common import explain, go_on, within

SEEN = 2
"""Syncs above the threshold that make one trigger."""


@register("qemu")
@dataclass(frozen=True, slots=True, kw_only=True)
class Qemu:
    """All shares 0..1, as QEMU's percentages."""

    downtime_goal: Seconds = 0.3
    threshold: float = 0.5
    initial: float = 0.2
    increment: float = 0.1
    maximum: float = 0.99

    def __post_init__(self) -> None:
        if not 0 < self.initial <= self.maximum < 1:
            raise ValueError("initial and maximum must lie between 0 and 1, initial first")

    def decide(self, history: Sequence[Round]) -> Decision:
        """The goal first; then the share of CPU that has been earned so far."""
        last = history[-1]
        if within(last, self.downtime_goal) is Action.SWITCH_OVER:
            return Decision(action=Action.SWITCH_OVER, reason=explain(last, self.downtime_goal))
        triggers = sum(r.dirtied_bytes > self.threshold * r.sent_bytes for r in history) // SEEN
        if not triggers:
            return go_on(last, self.downtime_goal)
        level = min(self.maximum, round(self.initial + (triggers - 1) * self.increment, 6))
        throttle = Throttle(kind="auto_converge", level=level)
        return go_on(last, self.downtime_goal, throttle, f"auto-converge takes {level:.0%} of the guest's CPU")
