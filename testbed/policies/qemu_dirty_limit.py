"""As QEMU's dirty-limit (8.1): once the guest dirties too much, its writers alone are held at a rate.

The trigger and the early looks are auto-converge's (``bitmap_sync``); then the rate at which each vCPU may dirty pages
is capped (vcpu-dirty-limit), and vCPUs that only read are not slowed. Sources: QEMU
docs/devel/migration/dirty-limit.rst, system/dirtylimit.c, migration/options.c. QEMU's default cap is 1 MB/s a vCPU,
the lowest there is; ours is for the whole guest, and without one it is half of the measured bandwidth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.core.rounds import Action, Decision, EarlyLook, Round, Throttle
from testbed.core.units import ByteRate, Seconds, in_bytes_per_second
from testbed.policies import register
from testbed.policies.bitmap_sync import ITERATION_S, PERIOD_S, triggering
from testbed.policies.common import explain, go_on, within


@register("qemu-dirty-limit")
@dataclass(frozen=True, slots=True, kw_only=True)
class QemuDirtyLimit:
    """``limit`` is the guest's dirty rate once it is limited; None: half of the bandwidth measured then."""

    downtime_goal: Seconds = 0.3
    threshold: float = 0.5
    limit: ByteRate | None = None
    iteration: Seconds = ITERATION_S
    period: Seconds = PERIOD_S

    @property
    def early_look(self) -> EarlyLook:
        """As soon as what is left of a pass can be sent within the goal."""
        return EarlyLook(within=self.downtime_goal, every=self.iteration)

    def decide(self, history: Sequence[Round]) -> Decision:
        """The goal first; then whether the limit holds."""
        last = history[-1]
        if within(last, self.downtime_goal) is Action.SWITCH_OVER:
            return Decision(action=Action.SWITCH_OVER, reason=explain(last, self.downtime_goal))
        triggers = triggering(history, self.threshold, self.period)
        if not triggers:
            return go_on(last, self.downtime_goal)
        rate = triggers[0].bandwidth / 2 if self.limit is None else self.limit
        throttle = Throttle(kind="dirty_limit", dirty_rate=rate)
        return go_on(last, self.downtime_goal, throttle, f"dirty-limit holds it at {in_bytes_per_second(rate)}")
