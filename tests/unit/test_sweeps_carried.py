"""Code of one's own goes with its points to workers that do not have it, and is there by the names it has here."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.cli import main
from testbed.core.errors import PrerequisiteMissing
from testbed.sweeps.grid import load
from testbed.sweeps.makers import carried
from testbed.sweeps.makers.brought import brought
from testbed.sweeps.points import Points, PointWanted
from tests.unit.own_policies import own_policy
from tests.unit.sweeping import grid, points
from tests.unit.test_sweeps_remote import lab

NAMES = ["./mine.py", "mine/policy.py", "../shared/policy.py", "../../policy.py", "mine/../../shared/policy.py"]


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in folders, where one stands."""
    stand = tmp_path / "home" / "labs" / "grids"
    stand.mkdir(parents=True)
    monkeypatch.chdir(stand)
    return stand


def wanted(stand: Path, name: str) -> PointWanted:
    """The first point of a grid by that policy."""
    asked = Points(load(grid(stand, more=f"migration: {{policy: {name}}}\n")), "simulated")
    return asked.wanted(asked.listed()[0])


def rounds_of(summary: bytes) -> int:
    """How many its one migration had, but for the last, in which the guest stood still."""
    found = json.loads(summary)["migrations"][0]["rounds"]
    return sum(each["kind"] == "precopy" for each in found)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_there_by_its_name_wherever_a_worker_stands(
    name: str, stand: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_policy(stand / name)
    point = carried.with_code(wanted(stand, name))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    modules = set(sys.modules)
    answer = brought(point)
    assert answer.lacks == "" and rounds_of(answer.files["summary.json"]) == 3
    recorded = json.loads(answer.files["summary.json"])["migrations"][0]["own_code"]
    assert recorded == point.plans[0].own_code and name in recorded and len(recorded) == 2
    assert Path.cwd() == elsewhere and not any("own_" in each or "beside_" in each for each in {*sys.modules} - modules)


def test_another_text_of_the_same_name_is_another_policy(stand: Path, tmp_path: Path) -> None:
    """As when its user has changed it, and a worker stays."""
    asked = []
    for rounds in (2, 4):
        own_policy(stand / "mine.py", rounds)
        asked.append(carried.with_code(wanted(stand, "./mine.py")))
    assert [rounds_of(brought(each).files["summary.json"]) for each in (*asked, asked[0])] == [2, 4, 2]
    assert asked[0].id != asked[1].id


def test_what_was_changed_while_the_sweep_went_on_is_not_carried(stand: Path) -> None:
    own_policy(stand / "mine.py")
    point = wanted(stand, "./mine.py")
    (stand / "limits" / "rounds.py").write_text("MOST = 9\n")
    with pytest.raises(PrerequisiteMissing, match=r"^limits/rounds\.py: is not there, or not the file that it was"):
        carried.with_code(point)


def test_what_was_changed_on_its_way_is_not_run(stand: Path) -> None:
    own_policy(stand / "mine.py")
    point = carried.with_code(wanted(stand, "./mine.py"))
    forged = replace(point, code=point.code | {"./mine.py": b"raise SystemExit\n"})
    assert "mine.py: is not there, or not the file that it was" in brought(forged).lacks


def test_a_path_that_counts_from_no_folder_is_each_machine_s_own(stand: Path, tmp_path: Path) -> None:
    file = tmp_path / "lab" / "policy.py"
    own_policy(file)
    point = carried.with_code(wanted(stand, str(file)))
    assert point.code == {} and rounds_of(brought(point).files["summary.json"]) == 3
    file.unlink()
    assert f"{file}: is not there" in brought(point).lacks


def test_a_sweep_over_real_workers_needs_it_on_none_of_them(stand: Path, tmp_path: Path) -> None:
    own_policy(stand.parent / "shared" / "policy.py")
    out = tmp_path / "out"
    with lab() as there:
        there.scheduler()
        there.worker(stands=tmp_path)
        file = grid(stand, more="migration: {policy: ../shared/policy.py}\n")
        assert main(["sweep", str(file), "--out", str(out), "--on", there.url]) == 0
    made = points(out)
    assert len(made) == 8
    assert {rounds_of((out / "points" / each / "summary.json").read_bytes()) for each in made} == {3}
