"""Your policy. It is asked after each round, and knows nothing but the rounds so far."""

from dataclasses import dataclass

from testbed.core.rounds import Action, Decision
from testbed.core.units import Seconds


@dataclass(frozen=True, kw_only=True)
class Mine:
    downtime_goal: Seconds = 0.5  # that of the guest: you are told

    def decide(self, history):
        last = history[-1]  # sent_bytes, dirtied_bytes, duration_s, bandwidth, dirty_rate, throttle
        left_s = last.dirtied_bytes / last.bandwidth
        if left_s <= self.downtime_goal:
            return Decision(action=Action.SWITCH_OVER, reason=f"what is left takes {left_s:.2f} s: within the goal")
        return Decision(action=Action.GO_ON, reason=f"what is left takes {left_s:.2f} s")
