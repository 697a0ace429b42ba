"""As QEMU with auto-converge: the guest loses CPU, in steps, while it dirties more than half of what is sent.

At looks at the bitmap that are more than a second apart: dirtied bytes > 50 % of the bytes sent since the last of them,
and this seen twice (the count starts anew when it triggers), takes 20 % of the CPU, then 10 % more each time, at most
99 %. Stop when what is left takes no longer than the downtime limit, 300 ms; and that is looked at early, before a pass
has been sent whole (``bitmap_sync``), so that the limit is spent rather than kept. Sources: QEMU commits dc14a470 and
070afca, migration/options.c (throttle-trigger-threshold, cpu-throttle-initial, cpu-throttle-increment,
max-cpu-throttle, downtime-limit). The first look that counts ends the full copy: round 1 can be the first of the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.core.rounds import Action, Decision, EarlyLook, Round, Throttle
from testbed.core.units import Seconds
from testbed.policies import register
from testbed.policies.bitmap_sync import ITERATION_S, PERIOD_S, triggering
from testbed.policies.common import explain, go_on, within


@register("qemu")
@dataclass(frozen=True, slots=True, kw_only=True)
class Qemu:
    """Shares 0..1, as QEMU's percentages; ``iteration`` and ``period`` are seconds between looks (``bitmap_sync``)."""

    downtime_goal: Seconds = 0.3
    threshold: float = 0.5
    initial: float = 0.2
    increment: float = 0.1
    maximum: float = 0.99
    iteration: Seconds = ITERATION_S
    period: Seconds = PERIOD_S

    def __post_init__(self) -> None:
        if not 0 < self.initial <= self.maximum < 1:
            raise ValueError("initial and maximum must lie between 0 and 1, initial first")

    @property
    def early_look(self) -> EarlyLook:
        """As soon as what is left of a pass can be sent within the limit."""
        return EarlyLook(within=self.downtime_goal, every=self.iteration)

    def decide(self, history: Sequence[Round]) -> Decision:
        """The goal first; then the share of CPU that has been earned so far."""
        last = history[-1]
        if within(last, self.downtime_goal) is Action.SWITCH_OVER:
            return Decision(action=Action.SWITCH_OVER, reason=explain(last, self.downtime_goal))
        triggers = len(triggering(history, self.threshold, self.period))
        if not triggers:
            return go_on(last, self.downtime_goal)
        level = min(self.maximum, round(self.initial + (triggers - 1) * self.increment, 6))
        throttle = Throttle(kind="auto_converge", level=level)
        return go_on(last, self.downtime_goal, throttle, f"auto-converge takes {level:.0%} of the guest's CPU")
