"""Policies by name and out of a user's own file; every mistake is one line that says what to do."""

from pathlib import Path

import pytest

from testbed.core.errors import ScenarioError
from testbed.core.rounds import Action, Round, RoundKind
from testbed.policies import build, registry

MINE = '''
"""Three rounds and no more."""

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.core.rounds import Action, Decision, Round
from testbed.core.units import Seconds
from testbed.policies import register
from testbed.policies.plain import PlainPolicy


@register({name!r})
@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    rounds: int = 3
    patience: Seconds = 1.0

    def decide(self, history: Sequence[Round]) -> Decision:
        over = len(history) >= self.rounds
        return Decision(action=Action.SWITCH_OVER if over else Action.GO_ON, reason=f"round {{len(history)}}")
'''

ROUND = Round(index=1, kind=RoundKind.PRECOPY, started_s=0, duration_s=1, sent_bytes=4096, dirtied_bytes=4096)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    file = tmp_path / "mine.py"
    file.write_text(MINE.format(name=f"mine-{tmp_path.name}"))
    return file


def test_by_name_and_with_parameters() -> None:
    assert build("plain") == build({"name": "plain"}) == registry.get("plain")()
    assert build({"name": "plain", "downtime_goal": 0.1}) != build("plain")


def test_out_of_a_file(mine: Path) -> None:
    assert build(str(mine)).decide([ROUND] * 3).action is Action.SWITCH_OVER
    assert build({"name": str(mine), "rounds": 4}).decide([ROUND] * 3).action is Action.GO_ON


def test_a_file_is_run_once_however_often_it_is_named(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(mine.parent)
    assert type(build(str(mine))) is type(build("./mine.py")) is type(build("mine.py"))


def test_the_registry_knows_files_too(mine: Path) -> None:
    assert registry.get(str(mine)).__name__ == "Mine"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("vmotoin", "did you mean 'vmotion'"),
        ({}, "no policy is called ''"),
        ({"name": "plain", "downtime": 1}, "policy 'plain' has no parameter 'downtime'; did you mean 'downtime_goal'"),
        ({"name": "vmotion", "passes": 0}, "policy 'vmotion': passes must be at least 1"),
        ({"name": "vmotion", "target": 1.5}, "policy 'vmotion': target must lie between 0 and 1"),
        ({"name": "qemu", "initial": 1.0}, "policy 'qemu': initial and maximum"),
        ({"name": "xen", "rounds": 0}, "policy 'xen': rounds must be at least 1"),
        ({"name": "flattening", "patience": 0}, "policy 'flattening': patience must be at least 1"),
        ({"name": "deadline", "then": "pray"}, "policy 'deadline': then is 'give up' or 'force', not 'pray'"),
        ("./nowhere/mine.py", "./nowhere/mine.py: there is no such file"),
    ],
)
def test_what_cannot_be(spec: object, said: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        build(spec)  # type: ignore[arg-type]
    assert said in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(:", "does not run: SyntaxError"),
        ("import nothing_of_that_name", "does not run: ModuleNotFoundError"),
        ("raise SystemExit(0)", "does not run: SystemExit"),
        ("", "found 0"),
        ("class Mine:\n    def decide(self, history): ...", "found 0"),
        ("from testbed.policies.plain import PlainPolicy", "found 0"),
        (MINE.format(name="plain"), "two policys are called 'plain'"),
        (MINE.format(name="two-a") + MINE.format(name="two-b").replace("class Mine", "class Other"), "found 2"),
    ],
)
def test_a_file_that_is_no_policy(tmp_path: Path, text: str, said: str) -> None:
    registry.items()
    file = tmp_path / "wrong.py"
    file.write_text(text)
    for _ in range(2):  # the second time as the first
        with pytest.raises(ScenarioError, match=f"wrong.py(:[0-9]+)?: .*{said}") as raised:
            build(str(file))
        assert "\n" not in str(raised.value)
