"""Stop when the remaining bytes stop falling: another round would cost time and leave as much.

Source: the stall detection proposed for KubeVirt, which watches the remaining data of each iteration against the least
seen so far. Rounds are unproductive when they leave more than ``improvement`` x that least.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from testbed.core.rounds import Action, Decision, Round
from testbed.core.units import Seconds
from testbed.policies import register
from testbed.policies.common import explain, go_on, switch_over, within


@register("flattening")
@dataclass(frozen=True, slots=True, kw_only=True)
class Flattening:
    """``patience`` rounds in a row that lower the least by no more than 1 - ``improvement`` end it."""

    downtime_goal: Seconds = 0.5
    improvement: float = 0.9
    patience: int = 2

    def __post_init__(self) -> None:
        if self.patience < 1 or not 0 < self.improvement <= 1:
            raise ValueError("patience must be at least 1, improvement between 0 and 1")

    def decide(self, history: Sequence[Round]) -> Decision:
        """The goal first; then whether it is worth going on."""
        last = history[-1]
        if within(last, self.downtime_goal) is Action.SWITCH_OVER:
            return Decision(action=Action.SWITCH_OVER, reason=explain(last, self.downtime_goal))
        flat = self._flat(history)
        if flat >= self.patience:
            return switch_over(last, f"what is left has stopped falling for {flat} rounds")
        return go_on(last, self.downtime_goal, because=f"flat for {flat} of {self.patience} rounds" if flat else "")

    def _flat(self, history: Sequence[Round]) -> int:
        """Rounds at the end that did not lower the least by the improvement asked for."""
        least = list(accumulate((r.dirtied_bytes for r in history), min))
        better = [after < self.improvement * before for before, after in pairwise(least)]
        return next((n for n, improved in enumerate(reversed(better)) if improved), len(better))
