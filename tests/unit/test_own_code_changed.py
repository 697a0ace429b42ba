"""A file that its user changes: what comes next is made with what it is now, or not at all; nothing is recorded that
was not run.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

import testbed
from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.core.events import Event, MigrationFinished
from testbed.core.rounds import Action, Round, RoundKind
from testbed.policies import build
from testbed.scenario import load as scenario
from testbed.sweeps.grid import load
from testbed.sweeps.makers.brought import brought
from testbed.sweeps.points import Points
from tests.unit.sweeping import grid

Captured = pytest.CaptureFixture[str]
MINE = """
from dataclasses import dataclass
{more}
from testbed.core.errors import ScenarioError
from testbed.core.events import Event, MigrationFinished
from testbed.core.rounds import Action, Decision

@dataclass(frozen=True, kw_only=True)
class Mine:
    def decide(self, history):
        over = len(history) >= {rounds}
        return Decision(action=Action.SWITCH_OVER if over else Action.GO_ON, reason="as many as are asked for")
"""
ITSELF = """
with open(__file__, "a") as own:
    own.write("# seen\\n")
"""
"""It is another file as soon as it was run."""
BUSY = {"vm.workload.write_rate": "200MB/s"}


def rounds(of: Path) -> int:
    """After how many its policy switches over."""
    seen = [Round(index=1, kind=RoundKind.PRECOPY, started_s=0, duration_s=1, sent_bytes=4096, dirtied_bytes=4096)]
    policy = build(str(of))
    while policy.decide(seen).action is Action.GO_ON:
        seen += seen[:1]
    return len(seen)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def write(file: Path, text: str) -> None:
    """As within the second in which it was last written, and of the same size: that tells Python nothing."""
    file.write_text(text)
    os.utime(file, (1_700_000_000, 1_700_000_000))


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "mine.py"
    write(file, MINE.format(rounds=2, more=""))
    return file


def test_it_is_run_anew_and_once(mine: Path) -> None:
    assert rounds(mine) == 2 and type(build(str(mine))) is type(build("./mine.py"))
    write(mine, MINE.format(rounds=5, more=""))
    assert rounds(mine) == 5 and type(build(str(mine))) is type(build("./mine.py"))
    assert [each.name for each in mine.parent.iterdir()] == ["mine.py"], "nothing is written beside it"


def test_one_that_puts_itself_in_may_change_too(mine: Path) -> None:
    registers = 'from testbed.policies import register\n@register("of-mine")\nclass Other: ...\n'
    for count in (2, 3):
        write(mine, MINE.format(rounds=count, more=registers))
        assert rounds(mine) == count


def test_one_that_breaks_and_is_mended(mine: Path) -> None:
    assert rounds(mine) == 2
    write(mine, "neither")
    for _ in range(2):
        with pytest.raises(ScenarioError, match=r"mine\.py:1: the policy in it does not run: NameError"):
            build(str(mine))
    mine.unlink()
    with pytest.raises(ScenarioError, match="there is no such file"):
        build(str(mine))
    write(mine, MINE.format(rounds=4, more=""))
    assert rounds(mine) == 4


@pytest.mark.parametrize("helper", ["helper_of_mine.py", "helper_of_mine/__init__.py", "helper_of_mine/deep/below.py"])
def test_what_it_imports_from_beside_it_may_change_too(mine: Path, helper: str) -> None:
    file = mine.parent / helper
    file.parent.mkdir(parents=True, exist_ok=True)
    module = helper.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    text = MINE.format(rounds="MANY", more=f"from {module} import MANY")
    other = mine.parent / "other.py"
    for each in (mine, other):
        write(each, text)
    for many in (2, 3, 4):
        write(file, f"MANY = {many}")
        assert (rounds(mine), rounds(other)) == (many, many)
        (plan,) = scenario("hello", overrides=["migration.policy=./mine.py"]).plans()
        assert plan.own_code == {"./mine.py": sha256(mine), helper: sha256(file)}


def test_each_has_what_lies_beside_itself(mine: Path) -> None:
    found = {}
    for count in (2, 3):
        folder = mine.parent / str(count)
        folder.mkdir()
        (folder / "common_name.py").write_text(f"MANY = {count}")
        found[count] = folder / "mine.py"
        found[count].write_text(MINE.format(rounds="MANY", more="from common_name import MANY"))
    for _ in range(2):
        assert {count: rounds(file) for count, file in found.items()} == {2: 2, 3: 3}


def test_what_was_there_before_stays(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout may lie beside it, of which this very program runs."""
    package = mine.parent / "there_before"
    package.mkdir()
    for name in ("__init__", "late"):
        (package / f"{name}.py").write_text("")
    monkeypatch.syspath_prepend(str(mine.parent))
    import there_before  # type: ignore[import-not-found]

    for count in (2, 3):
        write(mine, MINE.format(rounds=count, more="import there_before.late"))
        assert rounds(mine) == count
        assert sys.modules["there_before"] is there_before and there_before.late is sys.modules["there_before.late"]


def test_a_notebook_predicts_what_the_file_is_now(mine: Path) -> None:
    asked = {**BUSY, "migration.policy": "./mine.py"}
    made = []
    for count in (2, 6):
        write(mine, MINE.format(rounds=count, more=""))
        (only,) = testbed.run("hello", engine="simulated", set=asked, out=mine.parent / f"run-{count}").migrations
        made.append((len(only.rounds), only.own_code["./mine.py"]))
    assert [count for count, _ in made] == [3, 7], "and the one in which it stands still"
    assert made[0][1] != made[1][1]


def test_a_run_goes_on_with_no_other_file_than_it_began_with(mine: Path) -> None:
    def at_the_first_end(event: Event) -> None:
        if isinstance(event, MigrationFinished):
            write(mine, MINE.format(rounds=3, more=""))

    asked = {"migration.policy": "./mine.py"}
    with pytest.raises(ScenarioError, match=r"^./mine\.py: is not there, or not the file that it was"):
        testbed.run("hello", engine="simulated", set=asked, repeat=3, out="made", page=False, observer=at_the_first_end)
    summary = json.loads((mine.parent / "made" / "summary.json").read_text())
    assert [each["outcome"] for each in summary["migrations"]] == ["completed"] and not summary["valid"]


def test_a_point_is_made_with_the_file_that_it_is_of(mine: Path) -> None:
    made = Points(load(grid(mine.parent, "repeats: 1", more="migration: {policy: ./mine.py}\n")), "simulated")
    wanted = made.wanted(made.numbered(0))
    assert brought(wanted).made is not None
    write(mine, MINE.format(rounds=4, more=""))
    answer = brought(wanted)
    assert answer.made is None and answer.lacks.startswith("./mine.py: is not there, or not the file that it was")
    mine.unlink()
    assert brought(wanted).lacks == answer.lacks


def test_a_sweep_makes_no_point_of_another_file(mine: Path, capsys: Captured) -> None:
    """It changes as soon as it is asked anything, which is by the first points."""
    write(mine, mine.read_text().replace("        over =", f"        exec({ITSELF!r})\n        over ="))
    file = grid(mine.parent, "repeats: 1", more="migration: {policy: ./mine.py}\n")
    assert main(["sweep", str(file), "--out", "made"]) == 3
    said = capsys.readouterr().err
    assert "not the file that it was when this was asked for; ask again, with the same file on each machine" in said
    assert len(list((mine.parent / "made" / "points").iterdir())) < 4
