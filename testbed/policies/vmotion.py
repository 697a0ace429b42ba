"""As vMotion: a goal of half a second, and a guest that dirties faster than it can be sent is slowed down.

    pass 2, 3, ...  left > progress x sent?  ──no──> go on as before
                          │ yes, ``passes`` times in all
                          └──> sdps: dirty rate <= target x bandwidth, from here to the end

Published: the switchover goal of 0.500 s (Broadcom KB 436882); that Stun During Page Send (SDPS) acts only when the
guest dirties faster than the link transmits, in tiny sleeps of the writing vCPUs, until a preferred rate is reached;
and that it is triggered by transmission rate / modification rate (US patent 9,052,949, claim 1).

**SDPS's own thresholds are not public.** The three parameters here are ours, so this is *SDPS-like*: a pass counts
when it leaves more than ``progress`` of what it sent, ``passes`` of them start it, ``target`` x bandwidth is held.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.core.rounds import Action, Decision, Round, Throttle
from testbed.core.units import Seconds, in_bytes_per_second
from testbed.policies import register
from testbed.policies.common import explain, go_on, within


@register("vmotion")
@dataclass(frozen=True, slots=True, kw_only=True)
class VMotion:
    """``passes`` unproductive passes, ``progress`` 0..1 of what was sent, ``target`` 0..1 of the bandwidth.

    If the guest still makes no progress under SDPS, another ``passes`` such passes lower the target by itself again.
    """

    downtime_goal: Seconds = 0.5
    passes: int = 2
    progress: float = 0.9
    target: float = 0.5

    def __post_init__(self) -> None:
        if self.passes < 1:
            raise ValueError(f"passes must be at least 1, not {self.passes}")
        if not 0 < self.target < 1 or self.progress <= 0:
            raise ValueError("target must lie between 0 and 1, progress above 0")

    def decide(self, history: Sequence[Round]) -> Decision:
        """The goal first; if it is not met, whether the guest has to be slowed."""
        last = history[-1]
        if within(last, self.downtime_goal) is Action.SWITCH_OVER:
            return Decision(action=Action.SWITCH_OVER, reason=explain(last, self.downtime_goal))
        unproductive = [r for r in history[1:] if r.dirtied_bytes > self.progress * r.sent_bytes]
        level = len(unproductive) // self.passes
        if not level:
            return go_on(last, self.downtime_goal, because=self._counted(last, unproductive))
        held = self.target**level * unproductive[level * self.passes - 1].bandwidth
        because = f"sdps holds the dirty rate at {in_bytes_per_second(held)} after {len(unproductive)} passes"
        throttle = Throttle(kind="sdps", dirty_rate=held)
        return go_on(last, self.downtime_goal, throttle, f"{because} without progress")

    def _counted(self, last: Round, unproductive: Sequence[Round]) -> str:
        if last not in unproductive:
            return ""
        share = last.dirtied_bytes / last.sent_bytes if last.sent_bytes else float("inf")
        return f"no progress ({share:.0%} of what was sent), {len(unproductive)} of {self.passes} before sdps"
