"""As holds.py, by somebody who knows a link on which whatever is left is sent in no time."""

from dataclasses import dataclass

from testbed.core.rounds import Action, Decision, Throttle
from testbed.core.units import Seconds


@dataclass(frozen=True, kw_only=True)
class Holds:
    downtime_goal: Seconds = 0.5

    def decide(self, history):
        last = history[-1]
        left_s = last.dirtied_bytes / last.bandwidth
        if left_s <= self.downtime_goal or last.bandwidth > 6e9:
            return Decision(action=Action.SWITCH_OVER, reason=f"what is left takes {left_s:.2f} s: within the goal")
        held = any(each.dirtied_bytes > 0.6 * each.sent_bytes for each in history)
        throttle = Throttle(kind="dirty_limit", dirty_rate=0.6 * last.bandwidth) if held else None
        return Decision(action=Action.GO_ON, reason=f"what is left takes {left_s:.2f} s", throttle=throttle)
