"""Stops the guest after the first round, which always completes."""

from dataclasses import dataclass

from testbed.core.rounds import Action, Decision


@dataclass(frozen=True, kw_only=True)
class Stops:
    def decide(self, history):
        return Decision(action=Action.SWITCH_OVER, reason="over is over")
