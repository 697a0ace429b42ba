"""As Cloud Hypervisor: up to five passes over dirty pages, then pause, however much is left. No throttle, no goal.

Source: cloud-hypervisor pull request 1968 (the full copy is not one of the five);
a pass that leaves nothing dirty ends it early.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.core.rounds import Action, Decision, Round
from testbed.policies import register
from testbed.policies.common import left, switch_over


@register("cloud-hypervisor")
@dataclass(frozen=True, slots=True, kw_only=True)
class CloudHypervisor:
    """``passes`` over dirty pages, after the full copy."""

    passes: int = 5

    def decide(self, history: Sequence[Round]) -> Decision:
        """Nothing dirty first; then the number of passes."""
        last, done = history[-1], len(history) - 1
        if last.dirtied_bytes == 0:
            return switch_over(last, "nothing is dirty")
        if done >= self.passes:
            return switch_over(last, f"{self.passes} passes over dirty pages are the most")
        return Decision(action=Action.GO_ON, reason=f"went on {left(last)}; {done} of {self.passes} dirty passes done")
