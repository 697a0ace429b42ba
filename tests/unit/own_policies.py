"""A policy of one's own in a file, which imports from a folder beside it."""

from pathlib import Path

_POLICY = """
from dataclasses import dataclass

from limits.rounds import MOST
from testbed.core.rounds import Action, Decision

@dataclass(frozen=True, kw_only=True)
class Mine:
    def decide(self, history):
        over = len(history) >= MOST
        return Decision(action=Action.SWITCH_OVER if over else Action.GO_ON, reason="as many as there may be")
"""


def own_policy(file: Path, rounds: int = 3) -> Path:
    """One that switches over after so many rounds, of which its own file knows nothing."""
    limits = file.parent / "limits"
    limits.mkdir(parents=True, exist_ok=True)
    file.write_text(_POLICY)
    (limits / "rounds.py").write_text(f"MOST = {rounds}\n")
    return file
