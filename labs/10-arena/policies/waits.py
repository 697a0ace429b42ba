"""Waits for a round that leaves nothing."""

from dataclasses import dataclass

from testbed.core.rounds import Action, Decision


@dataclass(frozen=True, kw_only=True)
class Waits:
    def decide(self, history):
        done = history[-1].dirtied_bytes == 0
        return Decision(action=Action.SWITCH_OVER if done else Action.GO_ON, reason="until nothing is left")
