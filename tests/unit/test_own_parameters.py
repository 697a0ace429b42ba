"""The fields of a user's own policy as parameters: each instance has its own, and a record has what runs again."""

from pathlib import Path

import pytest

import testbed
from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.scenario import load

HEAD = """from __future__ import annotations
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable
import numpy as np
from testbed.core.rounds import Action, Decision
from testbed.core.units import Seconds
if TYPE_CHECKING:
    from nowhere import Nowhere

@dataclass
class Mine:
    {field}
    def decide(self, history):
        {does}
        return Decision(action=Action.SWITCH_OVER if {over} else Action.GO_ON, reason=f"{{self}}")
"""


def policy(folder: Path, field: str, *, does: str = "pass", over: str = "True") -> str:
    file = folder / "mine.py"
    file.write_text(HEAD.format(field=field, does=does, over=over))
    return str(file)


@pytest.mark.parametrize("kind", ["list", "list[int]", "list[dict]", "list[Decision]"])
def test_a_list_of_its_own_is_new_for_each_migration(tmp_path: Path, kind: str) -> None:
    field = f"seen: {kind} = field(default_factory=list)"
    file = policy(tmp_path, field, does="self.seen.append(1)", over="len(self.seen) >= 3")
    assert len(testbed.predict("hello", set={"migration.policy": file}).migrations[0].rounds) == 4
    made = testbed.run("hello", set={"migration.policy": file}, engine="simulated", repeat=2, out=tmp_path / "a")
    again = testbed.run(made.path / "scenario.yaml", engine="simulated", out=tmp_path / "b")
    assert [len(each.rounds) for each in (*made.migrations, *again.migrations)] == [4, 4, 4]


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("levels: tuple[float, ...] = (0.1, 0.2)", "levels=(0.1, 0.2)"),
        ("levels: list[float] = field(default_factory=lambda: [-0.1, 1e-7])", "levels=[-0.1, 1e-07]"),
        ("waits: list[Seconds] = field(default_factory=lambda: [0.5, 20])", "waits=[0.5, 20.0]"),
        ("downtime_goal: Seconds = '300ms'", "downtime_goal=0.3"),
        ("threshold: float = -2.5", "threshold=-2.5"),
        ("slope: int = -3", "slope=-3"),
        ("pick: Callable = max", "pick=<built-in function max>"),
        ("n: np.int64 = np.int64(3)", "n="),
        ("arr: object = field(default_factory=lambda: np.zeros(3))", "arr=array([0., 0., 0.])"),
        ("either: int | str = 'auto'", "either='auto'"),
    ],
)
def test_what_runs_runs_again_from_its_record(tmp_path: Path, field: str, shown: str) -> None:
    file = policy(tmp_path, field)
    scenario = load("hello", overrides=[("migration.policy", file)])
    (tmp_path / "again.yaml").write_text(scenario.resolved_yaml())
    assert load(tmp_path / "again.yaml").plans() == scenario.plans()
    assert shown in str(testbed.predict("hello", set={"migration.policy": file}).migrations[0].rounds[0])


@pytest.mark.parametrize("kind", ["int", "float"])
def test_a_goal_that_is_no_time_takes_any_number(tmp_path: Path, kind: str) -> None:
    given = {"migration.policy": policy(tmp_path, f"downtime_goal: {kind} = 3"), "migration.policy.downtime_goal": 300}
    assert "downtime_goal=300" in str(testbed.predict("hello", set=given).migrations[0].rounds[0])


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("goal: Seconds = float('inf')", "expected a time such as 500ms or 2s, not inf"),
        ("goal: int = 10**400", "expected a number, not inf"),
        ("goal: tuple[float, ...] = (0.1, 'x')", "expected a number, not 'x'"),
        ("goal: str = 5", "expected text, not 5"),
        ("goal: Nowhere = 1", "NameError: name 'Nowhere' is not defined"),
        ("goal: list[int] = field(default_factory=lambda: 1 / 0)", "ZeroDivisionError: division by zero"),
    ],
)
def test_what_cannot_stand_in_a_record_is_refused_before_there_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], field: str, said: str
) -> None:
    file, out = policy(tmp_path, field), tmp_path / "out"
    assert main(["run", "hello", "--engine", "simulated", "--policy", file, "--out", str(out)]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert f"policy '{file}': " in line and "'goal'" in line and said in line and not out.exists()


def test_the_largest_seed_is_read_again(tmp_path: Path) -> None:
    scenario = load("hello", seed=2**63 - 1)
    (tmp_path / "again.yaml").write_text(scenario.resolved_yaml())
    assert load(tmp_path / "again.yaml").plans() == scenario.plans()


def test_a_number_of_ours_is_0_or_more() -> None:
    with pytest.raises(ScenarioError, match=r"expected a number, not -2.5 \(0 or more\)"):
        load("hello", overrides=["migration.policy=vmotion", "migration.policy.target=-2.5"])
