"""Who plays: policies of ours by name, and anybody's from files, which only ever run in a sandbox."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from testbed import policies, sandbox
from testbed.core.errors import ScenarioError
from testbed.core.own.file import at_home
from testbed.core.parameters import Spec, parameters_of
from testbed.core.registry import is_path
from testbed.core.text.printable import printable
from testbed.policies.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """One policy of the board. ``file``: where its code is, and None for one of ours."""

    name: str
    file: Path | None = None

    def spec(self, goal_s: float) -> Spec:
        """What a plan says of it: with that downtime goal, if it has one."""
        goal = {"downtime_goal": goal_s}
        if self.file is not None:
            return {"name": sandbox.SANDBOXED, "file": str(self.file), **goal}
        has_one = "downtime_goal" in parameters_of(policies.registry.get(self.name))
        return {"name": self.name} | (goal if has_one else {})

    def playing(self, goal_s: float) -> AbstractContextManager[Policy]:
        """The policy for one match. Raises ``PolicyFault`` for one of a file that breaks."""
        return sandbox.built(self.spec(goal_s))


def entrant(word: str | Path) -> Entrant:
    """One by the name of a policy of ours, or the path of a file. Raises ``ScenarioError`` for what is neither."""
    text = str(word)
    if is_path(text) or isinstance(word, Path):
        path = at_home(text).absolute()
        if not path.exists() and not path.is_symlink():
            raise ScenarioError("there is no such file to load a policy from", printable(text))
        return Entrant(name=printable(text), file=path)
    policies.registry.get(text)
    return Entrant(name=text)


def rivals(beside: Sequence[Entrant]) -> list[Entrant]:
    """All policies of ours but those that play already."""
    there = {each.name for each in beside}
    return [Entrant(name=name) for name in policies.registry.items() if name not in there and not is_path(name)]
