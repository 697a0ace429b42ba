"""A sweep from Python: what may be given, that it is the command's own, how it ends, and what it gives."""

import base64
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import testbed
from testbed.api import Stopped
from testbed.cli import main
from testbed.core.errors import Interrupted, ScenarioError
from testbed.outcomes.swept import Swept
from testbed.scenario import load
from testbed.sweeps import conduct
from testbed.sweeps.folder import SweepFolder
from testbed.sweeps.makers.here import Here
from tests.unit.sweeping import grid, points

GOODPUT, RATE = "network.vmotion.goodput", "vm.workload.write_rate"
AXES: dict[str, Any] = {RATE: ["12MB/s", "24MB/s"], GOODPUT: ["500Mbit", "900Mbit"]}


def swept(out: Path, given: Any = "hello", **more: Any) -> Swept:
    return testbed.sweep(given, **{"engine": "simulated", "out": out, "jobs": 1, **more})


def ids(made: Swept) -> list[str]:
    return sorted(each.path.name for each in made.points if each.path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    return swept(tmp_path_factory.mktemp("whole"), axes=AXES, repeats=3, set={"chance": True})


# ---- What may be given -----------------------------------------------------------------------------------------------


def test_it_makes_the_points_that_the_command_makes(tmp_path: Path) -> None:
    file = grid(tmp_path)
    assert main(["sweep", str(file), "--out", str(tmp_path / "by-command"), "--quiet", "--jobs", "1"]) == 0
    made = swept(tmp_path / "by-python", file)
    assert ids(made) == points(tmp_path / "by-command") and len(made.points) == 8
    names = {each.name for each in (tmp_path / "by-command").iterdir()}
    assert {each.name for each in made.folder.iterdir()} == names and "sweep.html" in names


@pytest.mark.parametrize("given", ["file", "text", "name", "mapping", "nested", "scenario"])
def test_a_grid_is_a_file_a_name_a_mapping_or_a_scenario(given: str, tmp_path: Path) -> None:
    file = grid(tmp_path, more="name: hello\n")
    other = {"axes": {RATE: ["1MB/s"]}, "repeats": 9}
    known: dict[str, Any] = {
        "file": file,
        "text": str(file),
        "name": "hello",
        "mapping": {"extends": "hello", "sweep": other},
        "nested": {"extends": "./grid.yaml", "name": "hello"},
        "scenario": load("hello"),
    }
    with pytest.MonkeyPatch.context() as here:
        here.chdir(tmp_path)
        made = swept(tmp_path / given, known[given], axes=AXES, repeats=2)
    expected = swept(tmp_path / "expected", file)
    assert given == "scenario" or ids(made) == ids(expected)
    assert [each.settings for each in made.points] == [each.settings for each in expected.points]


def test_values_of_numpy_and_keys_are_taken_as_they_are(tmp_path: Path) -> None:
    axes = {"migration.streams": np.array([1, 2]), "vm.ram": (Path("256MB"), "300MB")}
    made = swept(tmp_path, axes=axes, until_ci=0.05, order_seed=np.int64(3), canary="hello", set="migration.policy=xen")
    assert {each.settings["migration.streams"] for each in made.points} == {1, 2}
    resolved = (made.points[0].run.path / "scenario.yaml").read_text(encoding="utf-8")
    assert re.search(r"policy:\s+(name: )?xen", resolved) and list((tmp_path / "canaries").iterdir())


@pytest.mark.parametrize(
    ("given", "more", "message"),
    [
        ("helo", {}, "no scenario is called 'helo'; did you mean 'hello'"),
        ("hello", {"axes": {"vm.rma": ["1GiB"]}}, r"axes=\{'vm.rma': .*: unknown key 'vm.rma'"),
        ("hello", {"axes": {"vm.ram": "1GiB"}}, "'sweep.axes.vm.ram' must be a list of values"),
        ("hello", {"axes": {"vm.ram": [object()]}}, "a value is a number, a text, .* not object"),
        ("hello", {"repeats": 0}, "^repeats=0: 'sweep.repeats': must be a whole number from 1"),
        ("hello", {"until_ci": "x%"}, "^until_ci='x%': .*a share such as 0.05 or 5%"),
        ("hello", {"canary": "helo"}, "^canary='helo': 'sweep.canary': no scenario is called 'helo'"),
        ("hello", {"axes": AXES, "set": {RATE: "1MB/s"}}, f"an axis of the sweep sets '{RATE}' already"),
        ("hello", {"axes": AXES, "set": {GOODPUT: ["1Gbit"]}}, f"an axis of the sweep sets '{GOODPUT}' already"),
        ("hello", {"engine": "qemu"}, "no engine is called 'qemu'"),
        ("hello", {"jobs": 0}, "jobs is a whole number from 1 to 256, not 0"),
        ("hello", {"jobs": 2, "engine": "native"}, "one point at a time; leave out jobs"),
        ({"extends": "hello", "sweep": 5}, {}, "'sweep' must be a mapping"),
        ({"extends": "hello", "sweep": 5}, {"repeats": 2}, "'sweep' is '5' and has no part 'repeats'"),
        ({"extends": "hello", "vm": {"rma": 1}}, {}, "^grid: unknown key 'vm.rma'; did you mean 'ram'"),
        ({"extends": "grid"}, {}, "no scenario is called 'grid'"),
    ],
)
def test_what_cannot_be_is_one_line_and_makes_nothing(given: Any, more: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        swept(tmp_path / "out", given, **more)
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


# ---- How it goes on and ends -----------------------------------------------------------------------------------------


def test_the_same_call_reads_what_is_there_and_each_point_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = swept(tmp_path, axes=AXES, limit=3)
    assert len(ids(first)) == 3 and not first.valid and "3 of 4 points, all valid" in repr(first)
    read: list[str] = []
    there = SweepFolder._read

    def counted(self: SweepFolder, folder: Path, id: str | None) -> Any:
        read.append(folder.name)
        return there(self, folder, id)

    monkeypatch.setattr(SweepFolder, "_read", counted)
    again = swept(tmp_path, axes=AXES)
    assert again.valid and sorted(read) == ids(again) and set(ids(first)) < set(ids(again))


def test_a_step_is_told_to_whoever_asks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps: list[conduct.SweepProgress] = []
    swept(tmp_path / "a", axes=AXES, progress=steps.append)
    assert [step.done for step in steps] == [0, 1, 2, 3, 4] and capsys.readouterr().err == ""
    swept(tmp_path / "b", axes=AXES, progress=True)
    assert capsys.readouterr().err.endswith("4 of 4 points\n")


@pytest.mark.parametrize("end", [KeyboardInterrupt, Interrupted])
def test_ctrl_c_is_one_that_says_where_what_was_made_is(
    tmp_path: Path, end: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    take, left = Here.take, [2]

    def stopped(self: Here) -> Any:
        if not left[0]:
            raise end
        left[0] -= 1
        return take(self)

    monkeypatch.setattr(Here, "take", stopped)
    with pytest.raises(Stopped, match=f"what was made is in {tmp_path}; the same call goes on") as caught:
        swept(tmp_path, axes=AXES)
    assert isinstance(caught.value, KeyboardInterrupt)
    monkeypatch.undo()
    assert len(points(tmp_path)) == 2 and swept(tmp_path, axes=AXES).valid


def test_what_is_not_valid_or_refused_is_returned_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    limited, free = {"goodput": "900Mbit"}, {"delay": "1ms"}
    axes = {"expect": ["completes", "gives_up"], "network.vmotion": [limited, free]}
    made = swept(tmp_path, {"extends": "hello", "network": {"vmotion": None}}, axes=axes, say=said.append)
    assert {each.state for each in made.points} == {"valid", "not valid", "refused"}
    assert not made.valid and "not valid, in" in repr(made)
    bad = next(each for each in made.points if each.state != "valid")
    assert bad.reason and f"point {bad.number}: {bad.state}: " in str(made)
    for each in made.points:
        if each.path is None:
            assert each.state == "refused" and any("was refused: " in line for line in said)
            with pytest.raises(ScenarioError, match=f"point {each.number} has no run; it is refused: "):
                each.run  # noqa: B018


# ---- What it gives ---------------------------------------------------------------------------------------------------


def test_a_point_has_its_run_and_its_settings(whole: Swept) -> None:
    one = whole.points[5]
    assert one.run.valid and one.path == one.run.path and one.run.summary.seed == one.seed == one.repeat
    assert [len(whole.runs(each)) for each in (None, {}, {RATE: "12MB/s"}, {RATE: "12MB/s", GOODPUT: "500Mbit"})] == [
        12, 12, 6, 3
    ]  # fmt: skip
    with pytest.raises(ScenarioError, match=f"no point has {RATE}=1MB/s; there are 12MB/s, 24MB/s|24MB/s, 12MB/s"):
        whole.runs({RATE: "1MB/s"})
    with pytest.raises(ScenarioError, match=f"no point has vm.ram=1; there are none, but of {RATE}, {GOODPUT}"):
        whole.runs({"vm.ram": 1})


def test_its_tables_are_ready_for_frames(whole: Swept) -> None:
    results, cells = whole.table(), whole.table("cells")
    assert results.rows == 12 and cells.rows == 4 and cells.units["total_time_s.mean"] == "s"
    means = {
        (row, rate): np.mean(
            [
                value
                for value, a, b in zip(
                    results["total_time_s"], results[f"axis.{RATE}"], results[f"axis.{GOODPUT}"], strict=True
                )
                if (a, b) == (row, rate)
            ]
        )
        for row, rate in zip(cells[f"axis.{RATE}"], cells[f"axis.{GOODPUT}"], strict=True)
    }
    assert list(means.values()) == pytest.approx(list(cells["total_time_s.mean"]))
    assert all(low < high for low, high in zip(cells["downtime_s.mean_95_t_low"], cells["downtime_s.mean_95_t_high"],
                                               strict=True))  # fmt: skip
    with pytest.raises(ScenarioError, match="there is no table 'cell'; did you mean 'cells'"):
        whole.table("cell")


def test_a_notebook_shows_a_table_and_maps_that_ask_nobody(whole: Swept) -> None:
    shown = whole._repr_html_()
    pictures = re.findall('<img alt="([^"]+)" src="data:image/svg[+]xml;base64,([^"]+)">', shown)
    assert [title for title, _ in pictures] == ["Total time", "Downtime"]
    drawn = [base64.b64decode(each).decode() for _, each in pictures]
    assert all(each.startswith("<svg") and "<script" not in each for each in drawn)
    assert (
        "12 of 12 points are there" in shown
        and "12MB/s" in drawn[0]
        and "http" not in re.sub('base64,[^"]+', "", shown)
    )
    assert list(whole.charts) == ["map-1", "map-2"] and len(str(whole).splitlines()) == 6


def test_hostile_texts_are_texts(whole: Swept) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    state = replace(whole._done.state, title=hostile, drifts=[hostile])
    shown = Swept(replace(whole._done, state=state))._repr_html_()
    assert "<img src=x" not in shown and shown.count("&lt;img src=x") == 2
