"""Stop when what is left can be sent within the downtime goal at the measured bandwidth; else go on for ever."""

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.core.rounds import Decision, Round
from testbed.core.units import Seconds
from testbed.policies import register
from testbed.policies.common import explain, within


@register("plain")
@dataclass(frozen=True, slots=True, kw_only=True)
class PlainPolicy:
    """The goal alone: neither a throttle nor a limit on rounds."""

    downtime_goal: Seconds = 0.5

    def decide(self, history: Sequence[Round]) -> Decision:
        """Switch over once the expected downtime is within the goal."""
        return Decision(action=within(history[-1], self.downtime_goal), reason=explain(history[-1], self.downtime_goal))
