"""Runs side by side: who is whose repeat, what is refused, and what a few repeats can say."""

import json
import math
import random
from pathlib import Path
from statistics import NormalDist, median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.cli.commands.compare import compare as command
from testbed.core.errors import ScenarioError
from testbed.report.side import comparison, page, words
from testbed.report.side.spread import difference, quantile, spread
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import SCENARIO, made

FAST = SCENARIO.replace("2048MB", "1024MB")


def a_run(folder: Path, totals: list[float], scenario: str = SCENARIO, **changes: Any) -> Path:
    summary = a_summary(*[a_migration(total_time_s=t, repeat=i) for i, t in enumerate(totals, 1)])
    for name, value in changes.items():
        setattr(summary, name, value)
    return made(folder, summary, scenario)


def lines_of(*folders: Path, figure: str = "total_time_s") -> list[comparison.ComparisonLine]:
    return [each for each in comparison.laid(folders, anyway=True).lines if each.measure.key == figure]


# Tables of Student's t, as in any textbook.
@pytest.mark.parametrize(
    ("share", "freedom", "t"),
    [(0.975, 1, 12.706), (0.975, 2, 4.303), (0.975, 4, 2.776), (0.975, 30, 2.042), (0.8, 4, 0.941), (0.95, 10, 1.812)],
)
def test_quantiles_of_t(share: float, freedom: float, t: float) -> None:
    assert quantile(share, freedom) == pytest.approx(t, abs=6e-4)


def test_with_many_repeats_t_is_normal() -> None:
    assert quantile(0.975, 1e6) == pytest.approx(NormalDist().inv_cdf(0.975), abs=1e-4)


@given(st.lists(st.floats(0.001, 1e6), min_size=2, max_size=20))
def test_a_spread_holds_its_mean(values: list[float]) -> None:
    seen = spread(values)
    if seen.low is None or seen.high is None:
        assert len(set(values)) == 1
    else:
        assert seen.low <= seen.mean <= seen.high
    assert seen.median == median(values) and seen.n == len(values)


def test_intervals_hold_what_they_promise() -> None:
    """Of 400 experiments of five repeats each, 95 in 100 hold the true mean, and as many see no difference."""
    draw = random.Random(7)
    held = unseen = 0
    for _ in range(400):
        a, b = ([draw.gauss(10, 1) for _ in range(5)] for _ in range(2))
        seen, apart = spread(a), difference(a, b)
        assert seen.low is not None and seen.high is not None and apart is not None
        held += seen.low <= 10 <= seen.high
        unseen += not apart.shown
    assert 0.92 < held / 400 < 0.98 and 0.92 < unseen / 400 < 0.985


def test_the_smallest_difference_is_found_in_four_of_five_tries() -> None:
    draw = random.Random(11)
    smallest = [
        difference([draw.gauss(10, 1) for _ in range(6)], [draw.gauss(10, 1) for _ in range(6)]) for _ in "x" * 99
    ]
    size = median(each.smallest for each in smallest if each)
    found = 0
    for _ in range(400):
        apart = difference([draw.gauss(10, 1) for _ in range(6)], [draw.gauss(10 + size, 1) for _ in range(6)])
        found += apart is not None and apart.shown
    assert 0.7 < found / 400 < 0.9


def test_one_repeat_says_nothing_about_noise() -> None:
    assert spread([1.0]).low is None and difference([1.0], [2.0, 3.0]) is None
    with pytest.raises(ValueError, match="no values"):
        spread([])


@pytest.mark.parametrize(("a", "b"), [([1.0, 1.0], [2.0, 2.0]), ([1.0, 1.0, 1.0], [2.0, 2.1]), ([1.0, 1.1], [2.0] * 9)])
def test_repeats_that_are_all_the_same_say_nothing_about_noise(a: list[float], b: list[float]) -> None:
    assert difference(a, b) is None
    assert spread([3.0, 3.0]).low is None and spread([3.0, 3.0]).high is None


def test_a_difference_in_words(tmp_path: Path) -> None:
    a = a_run(tmp_path / "a", [20.0, 20.1, 19.9, 20.0])
    b = a_run(tmp_path / "b", [10.0, 10.1, 9.9, 10.0], FAST)
    first, second = lines_of(a, b)
    assert (first.group, second.group) == ("ram=2048MB", "ram=1024MB")
    assert words.verdict(first) == "" and second.difference is not None
    assert second.difference.value == pytest.approx(-10) and second.difference.shown
    assert words.verdict(second).startswith("less, beyond the noise; it would hide up to")
    assert words.change(second).startswith("-50.0%")


def test_no_difference_in_words(tmp_path: Path) -> None:
    a = a_run(tmp_path / "a", [20.0, 21.0, 19.0])
    b = a_run(tmp_path / "b", [20.5, 19.5, 20.1], FAST)
    assert words.verdict(lines_of(a, b)[1]).startswith("no difference seen; one below ")


def test_folders_of_one_scenario_are_repeats_of_one_another(tmp_path: Path) -> None:
    folders = [a_run(tmp_path / str(i), [20.0 + i], SCENARIO.replace("seed: 1", f"seed: {i}")) for i in range(5)]
    (line,) = lines_of(*folders)
    assert line.spread.n == 5 and line.spread.median == 22 and math.isclose(line.spread.mean, 22)
    other = a_run(tmp_path / "other", [9.0], environment={"kernel": "6.12", "commit": "1234567890"})
    assert [each.spread.n for each in lines_of(*folders, other)] == [5, 1]


def test_runs_of_other_code_of_ones_own_are_no_repeats(tmp_path: Path) -> None:
    """Whoever edits a policy, or its helper, has another one, whatever the scenario calls it."""
    for total, code in enumerate(("1", "1", "2"), 1):
        migration = a_migration(total_time_s=total, own_code={"./mine.py": code * 64, "helper.py": "0" * 64})
        made(tmp_path / str(total), a_summary(migration), SCENARIO)
    found = lines_of(*(tmp_path / str(total) for total in (1, 2, 3)))
    assert [(each.group, each.spread.n) for each in found] == [("mine=11111111", 2), ("mine=22222222", 1)]


def test_of_one_run_its_settings_are_compared(tmp_path: Path) -> None:
    migrations = [
        a_migration(name=name, repeat=i, total_time_s=t + i) for name, t in (("x", 1.0), ("y", 9.0)) for i in (1, 2)
    ]
    seen = lines_of(made(tmp_path / "a", a_summary(*migrations)))
    assert [(each.group, each.spread.n) for each in seen] == [("x", 2), ("y", 2)]
    assert seen[1].difference is not None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"engine": "simulated"}, "the runs differ in engine: native, simulated"),
        ({"environment": {"kernel": "6.1"}}, "the runs differ in kernel: 6.12, 6.1"),
        ({"environment": {"kernel": "6.12", "cores": 64}}, "the runs differ in cores: None, 64"),
        ({"valid": False, "invalid_reasons": ["the link was slow"]}, "b is not valid: the link was slow"),
    ],
)
def test_what_is_not_comparable_is_refused(
    tmp_path: Path, changes: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    both = [a_run(tmp_path / "a", [1.0, 2.0]), a_run(tmp_path / "b", [1.0, 2.0], FAST, **changes)]
    with pytest.raises(ScenarioError, match="--anyway") as refused:
        command(both)
    assert said in str(refused.value)
    command(both, anyway=True)
    out, err = capsys.readouterr()
    assert said in err and "total time" in out


def test_data_on_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command([a_run(tmp_path / "a", [1.0, 2.0]), a_run(tmp_path / "b", [1.0], FAST)], as_json=True)
    known = json.loads(capsys.readouterr().out)
    lines = [each for each in known["lines"] if each["figure"] == "total_time_s"]
    assert [each["median"] for each in lines] == [1.5, 1.0] and lines[0]["values"] == [1.0, 2.0]
    assert lines[1]["shown"] is None and "too few repeats" in lines[1]["verdict"]


def test_nothing_completed_is_said(tmp_path: Path) -> None:
    none = made(tmp_path / "a", a_summary(a_migration(outcome="failed")))
    with pytest.raises(ScenarioError, match=r"nothing to compare.*opvizor: 0 of 1 completed"):
        command([none], anyway=True)


def test_a_page_of_it(tmp_path: Path) -> None:
    both = [a_run(tmp_path / "a", [1.0, 2.0]), a_run(tmp_path / "b", [1.0, 5.0], FAST)]
    file = tmp_path / "out" / "page.html"
    command(both, page=file)
    text = file.read_text(encoding="utf-8")
    assert "ram=2048MB against ram=1024MB" in text and "no difference seen" in text
    lines = comparison.laid(both).lines
    assert [each.name for each in page.figures_of(lines)][:2] == ["total-time-s", "downtime-s"]
    assert (
        "total_time_s" not in text.partition("<script")[0]
        and "total time: no difference can be told between ram=1024MB and ram=2048MB" in text
    )
    assert file.stat().st_size < 3e6
