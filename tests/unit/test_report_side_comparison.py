"""What is compared with what: scales that differ, runs that are copies, what is missing, what is no noise."""

import json
from pathlib import Path
from typing import Any

import pytest

import testbed
from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.core.records.migration import MigrationRecord, ThrottleRecord
from testbed.model.full_scale import full_scale
from testbed.report.side import comparison, data, page, words
from testbed.report.side.comparison import Comparison
from tests.unit.records import a_migration, a_networked_migration, a_service, a_summary
from tests.unit.runs import SCENARIO, made

FAST = SCENARIO.replace("2048MB", "1024MB")
ALSO = SCENARIO + "title: another\n"


def scaled(size: float, time: float, **changes: Any) -> MigrationRecord:
    """With what its figures stand for at full size."""
    known: dict[str, Any] = {"scale": {"size": size, "time": time}, "total_time_s": 21.4 / time, "guest_gap_s": 0.06}
    done = a_migration(**known | changes)
    done.full_scale = changes.get("full_scale", full_scale(done))
    return done


def laid(*folders: Path) -> Comparison:
    return comparison.laid(folders)


def keys(seen: Comparison) -> list[str]:
    return list(dict.fromkeys(line.measure.key for line in seen.lines))


def verdicts(seen: Comparison, figure: str = "total_time_s") -> list[str]:
    return [words.verdict(line) for line in seen.lines if line.measure.key == figure]


def test_runs_of_different_scales_are_compared_at_real_world_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = [
        made(tmp_path / str(i), a_summary(scaled(i, 8), scaled(i, 8, repeat=2)), f"{SCENARIO}scale: {{size: {i}}}\n")
        for i in (16, 32)
    ]
    seen = laid(*both)
    totals = [line.spread.mean for line in seen.lines if line.measure.key == "total_time_s"]
    assert totals[0] == totals[1] and all(line.real for line in seen.lines)
    assert keys(seen) == ["total_time_s", "downtime_s", "bytes_sent", "rounds"]
    (note,) = seen.notes
    assert "the scales differ, so figures are of real-world size; left out" in note and "gap of the guest" in note
    assert main(["compare", *map(str, both)]) == 0
    out, err = capsys.readouterr()
    assert "total time, real-world" in out and "of real-world size" in err
    assert "real-world size" in page.html(seen)


def test_migrations_of_one_run_at_different_scales_too(tmp_path: Path) -> None:
    migrations = [scaled(size, time, name=f"size={size}") for size, time in ((16, 8), (64, 4))]
    seen = laid(made(tmp_path / "a", a_summary(*migrations)))
    assert [line.spread.mean for line in seen.lines if line.measure.key == "bytes_sent"] == [
        each.bytes_sent * each.scale["size"] * each.scale["time"] for each in migrations
    ]
    assert "of real-world size" in seen.notes[0]


def test_what_has_no_real_world_size_is_refused_beside_another_scale(tmp_path: Path) -> None:
    both = [made(tmp_path / "a", a_summary(scaled(16, 8)))]
    both.append(made(tmp_path / "b", a_summary(scaled(32, 8, full_scale={})), FAST))
    with pytest.raises(ScenarioError, match=r"the runs differ in scale, and .*b has no figures at real-world size"):
        laid(*both)


def test_a_run_is_no_repeat_of_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = made(tmp_path / "a", a_summary(a_migration()))
    assert main(["compare", str(run), str(run / ".." / "a"), "--anyway"]) == 2
    assert "is given twice" in capsys.readouterr().err
    copy = made(tmp_path / "copy", a_summary(a_migration()))
    assert main(["compare", str(run), str(copy)]) == 2
    assert "are copies of one run" in capsys.readouterr().err


def test_what_is_missing_or_did_not_complete_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed = [a_migration(name="x", repeat=i, outcome="aborted") for i in (1, 2)]
    a = made(tmp_path / "a", a_summary(*failed, a_migration(name="y")))
    b = made(tmp_path / "b", a_summary(*(a_migration(name=name) for name in "xz")), FAST)
    seen = laid(a, b)
    assert seen.notes == [
        "x: 0 of 2 completed in ram=2048MB",
        "y: not made in ram=1024MB",
        "z: not made in ram=2048MB",
    ]
    assert {(line.migration, line.group) for line in seen.lines} == {
        ("x", "ram=1024MB"),
        ("y", "ram=2048MB"),
        ("z", "ram=1024MB"),
    }
    assert main(["compare", str(a), str(b)]) == 0
    assert "x: 0 of 2 completed in ram=2048MB" in capsys.readouterr().err
    assert "x: 0 of 2 completed in ram=2048MB" in page.html(seen)


def test_what_stands_in_for_no_baseline_says_so(tmp_path: Path) -> None:
    a = made(tmp_path / "a", a_summary(a_migration(outcome="aborted")))
    b = made(tmp_path / "b", a_summary(a_migration(), a_migration(repeat=2, total_time_s=21.0)), FAST)
    seen = laid(a, b)
    assert verdicts(seen) == ["nothing to hold it against: ram=2048MB has none"]
    assert seen.notes == ["ram=2048MB: 0 of 1 completed"]


def test_groups_of_two_policies_are_called_by_them(tmp_path: Path) -> None:
    runs = [
        made(tmp_path / name, a_summary(a_migration()), f"{SCENARIO}migration: {{policy: {{name: {name}}}}}\n")
        for name in ("qemu", "xen")
    ]
    assert [line.group for line in laid(*runs).lines][:2] == ["policy=qemu", "policy=xen"]


def test_a_run_without_anything_in_common_is_named(tmp_path: Path) -> None:
    folders = [
        made(tmp_path / name, a_summary(*(a_migration(name=each) for each in names)), scenario)
        for name, names, scenario in (("a", "xy", SCENARIO), ("b", "xy", FAST), ("c", "vw", ALSO))
    ]
    folders[1].joinpath("summary.json").write_text(
        folders[1].joinpath("summary.json").read_text().replace("21.4", "21.5"), encoding="utf-8"
    )
    notes = laid(*folders).notes
    assert len(notes) == 1 and notes[0].endswith("has no migration in common with the others")


def test_the_same_in_every_repeat_is_no_certainty(tmp_path: Path) -> None:
    a, b = (
        made(tmp_path / name, a_summary(*(a_migration(repeat=i, total_time_s=t) for i in (1, 2, 3))), scenario)
        for name, t, scenario in (("a", 20.0, SCENARIO), ("b", 10.0, FAST))
    )
    seen = laid(a, b)
    assert verdicts(seen) == ["", "the same in every repeat: the noise is not known"]
    assert all(line.spread.low is None and line.difference is None for line in seen.lines)


@pytest.mark.usefixtures("without_a_page")
def test_a_model_has_no_noise(tmp_path: Path) -> None:
    runs = [
        testbed.run("hello", engine="simulated", repeat=2, out=tmp_path / ram, set=[f"vm.ram={ram}"])
        for ram in ("256MB", "512MB")
    ]
    seen = laid(*(run.path for run in runs))
    assert verdicts(seen) == ["", "a model, no noise"]
    assert all(line.spread.low is None for line in seen.lines)


@pytest.mark.parametrize("measured_first", [True, False])
def test_a_model_beside_what_was_measured_has_the_noise_of_that(tmp_path: Path, measured_first: bool) -> None:
    """It was said to be slower \"by the model\", by any difference, and broke conditions with it."""
    noisy = a_summary(*(a_migration(repeat=i, total_time_s=t) for i, t in enumerate((20.0, 20.6, 19.4), 1)))
    for count, said in ((3, "no difference seen"), (1, "too few repeats")):
        model = a_summary(*(a_migration(repeat=i, total_time_s=20.1) for i in range(1, count + 1)))
        model.engine = "simulated"
        both = [made(tmp_path / f"measured-{count}", noisy), made(tmp_path / f"model-{count}", model, FAST)]
        runs = both if measured_first else both[::-1]
        seen = comparison.laid(runs, anyway=True)
        assert [verdict.startswith(said) for verdict in verdicts(seen)] == [False, True]
        assert "by the model" not in str(data.as_data(seen)["sentences"])
        assert main(["compare", *map(str, runs), "--anyway", "--fail-if", "slower=0.1%"]) == 0


def test_throttled_time_blackout_and_halts_are_compared_where_measured(tmp_path: Path) -> None:
    known = a_networked_migration(
        throttle=ThrottleRecord(policy="vmotion", active_s=1.0, peak=0.5), services=[a_service(longest_halt_s=1.5)]
    )
    known.rounds[2].throttle = 0.5
    seen = laid(made(tmp_path / "a", a_summary(known)), made(tmp_path / "b", a_summary(a_migration()), FAST))
    assert keys(seen) == [
        *("total_time_s", "downtime_s", "guest_gap_s", "client_blackout_s", "bytes_sent", "rounds"),
        *("throttled_s", "longest_halt_s iometer"),
    ]
    names = [each.name for each in page.figures_of(seen.lines)]
    assert names[-2:] == ["throttled-s", "longest-halt-s-iometer"]
    assert "longest halt of iometer" in page.html(seen)
    json.dumps(data.as_data(seen))
    assert "throttled_s" not in keys(laid(made(tmp_path / "c", a_summary(a_migration()))))


def test_digits_follow_the_interval(tmp_path: Path) -> None:
    totals = (21.3401, 21.3405, 21.3403)
    repeats = [a_migration(repeat=i, total_time_s=t) for i, t in enumerate(totals, 1)]
    (row, *_) = words.rows(laid(made(tmp_path / "a", a_summary(*repeats))).lines)
    assert row[4] == "21.34 s" and row[5] == "21.34030 s [21.33980, 21.34080]"
