"""As Xen: stop when few pages are left, or after a fixed number of rounds, or when too much was sent. No throttle.

Now: fewer than 50 dirty pages, or 5 iterations (SPP_TARGET_DIRTY_COUNT and SPP_MAX_ITERATIONS, libxc's
save.c). Before: 29 iterations (one more when stunned) or three times the memory sent (xc_linux_save.c):
``{name: xen, rounds: 29, most_sent: 3}``. Neither looks at the bandwidth, so neither keeps a downtime goal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.core.rounds import Action, Decision, Round
from testbed.policies import register
from testbed.policies.common import left, switch_over


@register("xen")
@dataclass(frozen=True, slots=True, kw_only=True)
class Xen:
    """``most_sent``: times the guest's memory, taken as what round 1 sent; None: no such limit."""

    rounds: int = 5
    pages: int = 50
    most_sent: float | None = None

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError(f"rounds must be at least 1, not {self.rounds}")

    def decide(self, history: Sequence[Round]) -> Decision:
        """Switches over at whichever limit is reached first: pages left, rounds made, memory sent."""
        last = history[-1]
        if last.dirtied_pages < self.pages:
            return switch_over(last, f"fewer than {self.pages} pages")
        if last.index >= self.rounds:
            return switch_over(last, f"{self.rounds} rounds are the most")
        sent = sum(r.sent_bytes for r in history) / max(1, history[0].sent_bytes)
        if self.most_sent is not None and sent > self.most_sent:
            return switch_over(last, f"{sent:.1f} times the memory was sent, {self.most_sent:g} is the most")
        return Decision(action=Action.GO_ON, reason=f"went on {left(last)}, round {last.index} of {self.rounds}")
