"""As ``plain`` until a time has passed; then give up, or force the switchover whatever downtime it costs.

Sources of the idea: KubeVirt's completion timeout (150 s a GiB) with abort as its action, and OpenStack Nova's
``live_migration_completion_timeout`` with ``live_migration_timeout_action`` = abort or force_complete.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from testbed.core.rounds import Action, Decision, Round
from testbed.core.units import Seconds, in_seconds
from testbed.policies import register
from testbed.policies.common import elapsed, explain, give_up, go_on, switch_over, within


@register("deadline")
@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """``after`` seconds of migration, looked at between rounds: a round that is under way is sent to its end."""

    downtime_goal: Seconds = 0.5
    after: Seconds = 60.0
    then: Literal["give up", "force"] = "give up"

    def __post_init__(self) -> None:
        if self.then not in ("give up", "force"):
            raise ValueError(f"then is 'give up' or 'force', not '{self.then}'")

    def decide(self, history: Sequence[Round]) -> Decision:
        """The goal first; then the clock."""
        last, spent = history[-1], elapsed(history)
        if within(last, self.downtime_goal) is Action.SWITCH_OVER:
            return Decision(action=Action.SWITCH_OVER, reason=explain(last, self.downtime_goal))
        if spent < self.after:
            return go_on(last, self.downtime_goal, because=f"{in_seconds(self.after - spent)} to the deadline")
        late = f"{in_seconds(spent)} have passed, the deadline is {in_seconds(self.after)}"
        return switch_over(last, f"{late}: forced") if self.then == "force" else give_up(last, late)
