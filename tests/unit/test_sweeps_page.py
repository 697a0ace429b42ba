"""What all points say together: tables for others, and a page with maps, intervals, the model's word, and links."""

import csv
import importlib
import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.cli import main
from testbed.core.records.migration import PredictionRecord
from testbed.report.drawing.export import spec
from testbed.sweeps.canaries import Canaries
from testbed.sweeps.ended import PointMade
from testbed.sweeps.folder import KeptPoint, SweepFolder
from testbed.sweeps.grid import load
from testbed.sweeps.points import Point, Points
from testbed.sweeps.state import begun
from testbed.sweeps.together import page, rows
from testbed.sweeps.together.cells import cells
from testbed.sweeps.together.heat import figures, unmapped
from tests.unit.sweeping import grid, points


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("swept")
    file = grid(folder, "repeats: 2", more="title: <b>many</b> points\n")
    assert main(["sweep", str(file), "--out", str(folder / "out"), "--quiet", "--jobs", "1"]) == 0
    return folder


@pytest.fixture(scope="module")
def noisy(swept: Path) -> list[tuple[Point, KeptPoint]]:
    """Those points as if measured: repeats differ by a tenth of a second, and each was foreseen to take two."""
    folder = SweepFolder(swept / "out")
    done = []
    for point in Points(load(swept / "grid.yaml"), "simulated").listed():
        kept = folder.there(point.id)
        assert kept is not None
        one = kept.summary.migrations[0]
        said = PredictionRecord(outcome="completed", total_time_s=2.0, downtime_s=0.02, bytes_sent=1, rounds=3)
        assert one.total_time_s is not None
        measured = replace(one, predicted=said, total_time_s=one.total_time_s + 0.1 * point.repeat)
        done.append((point, replace(kept, summary=replace(kept.summary, migrations=[measured]))))
    return done


def results(out: Path) -> list[dict[str, str]]:
    with (out / "results.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_row_a_migration(swept: Path) -> None:
    there = results(swept / "out")
    assert len(there) == 8 and sorted(row["id"] for row in there) == points(swept / "out")
    first = json.loads((swept / "out" / "points" / there[0]["id"] / "summary.json").read_text())["migrations"][0]
    assert float(there[0]["total_time_s"]) == first["total_time_s"] and there[0]["valid_point"] == "true"
    assert {row["axis.network.vmotion.goodput"] for row in there} == {"500Mbit", "900Mbit"}
    assert [int(row["point"]) for row in there] == list(range(8)) and {row["machine"] for row in there} != {""}
    assert {row["seed"] for row in there} == {"1", "2"}


def test_a_setting_is_in_the_rows_what_it_was_whatever_the_first_point_has(
    noisy: list[tuple[Point, KeptPoint]],
) -> None:
    """Points that were broken off have some of their migrations: the first may have whole numbers alone."""
    name = "settings.network.vmotion.streams"

    def found(*values: float | str) -> list[object]:
        done = [
            (point, replace(kept, summary=replace(kept.summary, migrations=[replace(one, settings={name[9:]: value})])))
            for (point, kept), value in zip(noisy, values, strict=False)
            for one in kept.summary.migrations
        ]
        made = rows.sheet(done, [])
        (at,) = (at for at, column in enumerate(made.columns) if column.name == name)
        return list(made.values[at])

    assert found(2, 2.5) == [2.0, 2.5] and found(2, "many") == ["2", "many"] and found(2, 4) == [2, 4]


def test_the_same_as_parquet(swept: Path) -> None:
    found = importlib.import_module("pyarrow.parquet").read_table(swept / "out" / "results.parquet").to_pydict()
    there = results(swept / "out")
    assert found["id"] == [row["id"] for row in there]
    assert found["total_time_s"] == [float(row["total_time_s"]) for row in there]


def test_without_what_writes_parquet_there_is_a_csv(
    swept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = shutil.copytree(swept / "out", tmp_path / "out", ignore=shutil.ignore_patterns("results.*"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main(["sweep", str(swept / "grid.yaml"), "--out", str(out), "--quiet", "--limit", "0"]) == 0
    assert sorted(each.name for each in out.glob("results.*")) == ["results.csv"]


def test_the_page_has_a_link_to_each_run_and_escapes_what_is_written(swept: Path) -> None:
    text = (swept / "out" / "sweep.html").read_text(encoding="utf-8")
    for name in points(swept / "out"):
        assert f'href="points/{name}/"' in text and (swept / "out" / "points" / name).is_dir()
    assert "8 of 8 points are there; 8 of them are valid." in text
    assert "&lt;b&gt;many&lt;/b&gt; points" in text and "<b>many" not in text
    assert 'id="map-1"' in text and 'id="map-2"' in text and ">model<" not in text


def test_a_cell_has_its_interval_and_the_models_word(noisy: list[tuple[Point, KeptPoint]]) -> None:
    found = cells(noisy)
    assert len(found) == 4 and all((cell.ran, cell.valid) == (2, 2) for cell in found)
    total = found[0].figures["total_time_s"]
    assert total.spread.low is not None and total.spread.low < total.spread.mean and total.predicted == 2.0


def test_a_map_over_two_axes_and_dots_over_one(noisy: list[tuple[Point, KeptPoint]], swept: Path) -> None:
    axes = {"vm.workload.write_rate": ["12MB/s", "24MB/s"], "network.vmotion.goodput": ["500Mbit", "900Mbit"]}
    drawn = list(figures(cells(noisy), axes))
    assert [each.title for each in drawn] == ["Total time", "Downtime"]
    rows = next(iter(spec(drawn[0].chart)["datasets"].values()))
    assert len(rows) == 4 and {row["model"] for row in rows} == {"model 2 s"}
    for row in rows:
        (mean,), ends = _places(row["text"]), _places(row["interval"])
        assert ends == [mean, mean], f"in one unit, as finely: {row['text']} {row['interval']}"
    legends = [spec(each.chart)["layer"][0]["encoding"]["color"]["legend"]["title"] for each in drawn]
    assert legends == ["total time (s)", "downtime (ms)"], "in the unit of the cells"
    one = {**axes, "network.vmotion.goodput": ["500Mbit"]}
    half = [(point, kept) for point, kept in noisy if point.arm.settings["network.vmotion.goodput"] == "500Mbit"]
    (dots, _) = figures(cells(half), one)
    assert "tick what the model said" in dots.caption
    for each in (drawn[0].chart, dots.chart):
        each.to_dict()  # its schema is kept
    assert list(figures(cells(noisy), {})) == []


def test_other_axes_set_maps_apart_and_a_matrix_too(tmp_path: Path) -> None:
    axes = "vm.ram: [256MB, 300MB], network.vmotion.goodput: [500Mbit, 900Mbit], migration.policy: [plain, xen]"
    file = grid(tmp_path, "repeats: 1", axes, "matrix: {vm.workload.write_rate: [12MB/s, 24MB/s]}\n")
    assert main(["sweep", str(file), "--out", str(tmp_path / "out"), "--quiet", "--jobs", "1"]) == 0
    folder, all_points = SweepFolder(tmp_path / "out"), Points(load(file), "simulated")
    done = [(point, kept) for point in all_points.listed() if (kept := folder.there(point.id)) is not None]
    state = begun(all_points)
    titles = [each.title for each in figures(cells(done), page._axes(state))]
    assert titles[:4] == [
        "Total time, migration.policy=plain write_rate=12MB/s",
        "Total time, migration.policy=plain write_rate=24MB/s",
        "Total time, migration.policy=xen write_rate=12MB/s",
        "Total time, migration.policy=xen write_rate=24MB/s",
    ]
    assert "write_rate=24MB/s" in page.html(state, cells(done))


def test_values_of_which_nothing_is_valid_keep_their_place(noisy: list[tuple[Point, KeptPoint]]) -> None:
    axes = {"vm.workload.write_rate": ["12MB/s", "24MB/s"], "network.vmotion.goodput": ["500Mbit", "900Mbit"]}
    slow = [(point, kept) for point, kept in noisy if point.arm.settings["network.vmotion.goodput"] == "500Mbit"]
    drawn, _ = figures(cells(slow), axes)
    assert drawn.caption.endswith(" An empty one has none.")
    known = spec(drawn.chart)["layer"][0]["encoding"]
    assert known["x"]["scale"]["domain"] == ["500Mbit", "900Mbit"]
    assert known["y"]["scale"]["domain"] == ["12MB/s", "24MB/s"]


def test_of_very_many_maps_those_that_are_not_drawn_are_counted(noisy: list[tuple[Point, KeptPoint]]) -> None:
    """Of each measure as many; once only the first measure had any."""
    axes = {"vm.workload.write_rate": ["12MB/s", "24MB/s"], "network.vmotion.goodput": ["500Mbit", "900Mbit"]}
    many = [replace(cell, settings={**cell.settings, "vm.ram": ram}) for ram in range(20) for cell in cells(noisy)]
    titles = [each.title.split(",")[0] for each in figures(many, axes)]
    assert titles == ["Total time"] * 6 + ["Downtime"] * 6 and unmapped(many, axes) == 14
    assert unmapped(cells(noisy), axes) == 0


@pytest.mark.parametrize(("value", "drifts"), [(3.2, False), (3.4, True), (2.0, True)])
def test_a_canary_that_drifts_is_told(tmp_path: Path, value: float, drifts: bool) -> None:
    loaded, said = load(grid(tmp_path, "canary: {scenario: hello, every: 2, within: 10%}")), list[str]()
    assert loaded.keys.canary is not None and loaded.canary is not None
    canaries = Canaries(loaded.keys.canary, loaded.canary, "simulated", SweepFolder(tmp_path), said.append)
    due = [canaries.due("m") is not None for _ in range(6)]
    assert due == [True, False, False, True, False, False] and canaries.due("n") is not None
    for number, total in ((1, 3.0), (2, value)):
        canaries.note(
            PointMade(
                id="c", number=number, state="valid", machine="m", canary=True, figures={"hello": {"total_time": total}}
            )
        )
    assert bool(said) is drifts and said == canaries.drifts
    assert not said or said[0].startswith(f"canary 2 on m took {value} s, ")


def _places(text: str) -> list[int]:
    """Digits behind the point, of each number."""
    return [len(each.partition(".")[2]) for each in re.findall(r"[\d.]+", text)]
