"""A file that its user changes: what comes next is made with what it is now, or not at all; nothing is recorded that
was not run.
"""

import hashlib
import importlib
import json
import os
import sys
from pathlib import Path

import pytest

import testbed
from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.core.events import Event, MigrationFinished
from testbed.core.own.file import digests_of
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
from testbed.core.own.file import digests_of
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


SEEN = Round(index=1, kind=RoundKind.PRECOPY, started_s=0, duration_s=1, sent_bytes=4096, dirtied_bytes=4096)


def rounds(of: Path) -> int:
    """After how many its policy switches over."""
    policy, seen = build(str(of)), [SEEN]
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


def test_what_lies_beside_one_that_is_named_by_a_link_is_found(mine: Path, capsys: Captured) -> None:
    folder = mine.parent / "lib"
    folder.mkdir()
    write(folder / "there.py", MINE.format(rounds="MANY", more="from helper_of_lib import MANY"))
    write(folder / "helper_of_lib.py", "MANY = 3")
    (mine.parent / "linked.py").symlink_to("lib/there.py")
    command = ["run", "hello", "--engine", "simulated", "--policy", "./linked.py", "--out", "out"]
    assert main(command) == 0, capsys.readouterr().err
    (record,) = json.loads(Path("out", "summary.json").read_text())["migrations"]
    assert record["own_code"] == {
        "./linked.py": sha256(folder / "there.py"),
        str(folder / "helper_of_lib.py"): sha256(folder / "helper_of_lib.py"),
    }


LATE = """
        from common_name import MANY"""


@pytest.mark.parametrize("late", [False, True])
def test_each_has_what_lies_beside_itself_whoever_is_asked_first(mine: Path, late: bool) -> None:
    text = MINE.format(rounds="MANY", more="import common_name" if late else "from common_name import MANY")
    if late:
        text = text.replace("        over =", f"{LATE}\n        over =")
    found = {}
    for count in (2, 3):
        folder = mine.parent / str(count)
        folder.mkdir()
        (folder / "common_name.py").write_text(f"MANY = {count}")
        found[count] = folder / "mine.py"
        found[count].write_text(text)
    for _ in range(2):
        assert {count: rounds(file) for count, file in found.items()} == {2: 2, 3: 3}
    together = [build(str(found[count])) for count in (2, 3)]
    assert [made.decide([SEEN] * 2).action for made in together] == [Action.SWITCH_OVER, Action.GO_ON]
    assert digests_of("./2/mine.py").keys() == {"./2/mine.py", "2/common_name.py"}


def test_what_a_program_has_imported_itself_is_its_own(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook stands beside its policy, uses the same helper, and has imported it before."""
    helper = mine.parent / "common_name.py"
    for path in ("", str(mine.parent)):
        monkeypatch.syspath_prepend(path)
    write(helper, "MANY = 2")
    theirs = importlib.import_module("common_name")
    for count in (2, 3):
        write(helper, f"MANY = {count}")
        write(mine, MINE.format(rounds="MANY", more="from common_name import MANY"))
        assert rounds(mine) == count and sys.modules["common_name"] is theirs and theirs.MANY == 2
    monkeypatch.delitem(sys.modules, "common_name")


def test_packages_import_each_other(mine: Path) -> None:
    files = {
        "parts/__init__.py": "from .inner import one\nfrom . import inner",
        "parts/inner/__init__.py": "from ..other import two as one",
        "parts/other.py": "import parts.last as last\nfrom alone import three\ntwo = last.four and three",
        "parts/last.py": "four = 4",
        "parts/unused.py": "raise NotImplementedError",
        "alone.py": "three = 3",
    }
    for name, text in files.items():
        (mine.parent / name).parent.mkdir(parents=True, exist_ok=True)
        (mine.parent / name).write_text(text)
    write(mine, MINE.format(rounds="parts.one", more="import parts.inner"))
    assert rounds(mine) == 3
    assert digests_of("./mine.py").keys() == {"./mine.py", *files} - {"parts/unused.py"}


@pytest.mark.parametrize("name", ["json", "numpy", "testbed", "pytest"])
def test_it_passes_for_nothing_of_pythons_ours_or_what_is_installed(mine: Path, name: str) -> None:
    (mine.parent / f"{name}.py").write_text("raise NotImplementedError")
    write(mine, MINE.format(rounds=3, more=f"import {name}; {name}.__name__"))
    assert rounds(mine) == 3 and digests_of("./mine.py").keys() == {"./mine.py"}


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
