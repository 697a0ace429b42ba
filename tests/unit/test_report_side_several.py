"""Pairs of equal seeds, several figures judged at once, and a figure held against a bound."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.cli import main
from testbed.report.side import comparison, data, words
from testbed.report.side.sentence import sentences
from testbed.report.side.several import AT, BoundStanding, bound, compared, holm
from testbed.report.side.spread import difference, difference_of_pairs, outside
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import SCENARIO, made

FAST = SCENARIO.replace("2048MB", "1024MB")
# Student's own: how much longer ten patients slept, by either drug. What R's t.test says of it.
ONE = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
OTHER = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def a_run(folder: Path, totals: list[float], scenario: str = SCENARIO, seed: int = 1, **changes: Any) -> Path:
    summary = a_summary(*[a_migration(total_time_s=t, repeat=i, **changes) for i, t in enumerate(totals, 1)])
    summary.seed = seed
    return made(folder, summary, scenario)


def line_of(*folders: Path, figure: str = "total_time_s", paired: bool = True) -> comparison.ComparisonLine:
    laid = comparison.laid(folders, anyway=True, paired=paired)
    return [each for each in laid.lines if each.measure.key == figure][-1]


def test_students_own_example() -> None:
    welch, pairs = difference(ONE, OTHER), difference_of_pairs(ONE, OTHER)
    assert welch is not None and pairs is not None and (welch.pairs, pairs.pairs) == (0, 10)
    assert [welch.p, pairs.p] == pytest.approx([0.07939, 0.002833], rel=1e-4)
    assert [welch.low, welch.high] == pytest.approx([-0.2054832, 3.3654832], rel=1e-6)
    assert [pairs.low, pairs.high] == pytest.approx([0.7001142, 2.4598858], rel=1e-6)


@given(st.floats(0, 40), st.floats(1, 200))
def test_a_p_is_two_sided_and_falls_with_distance(t: float, freedom: float) -> None:
    assert 0 <= outside(t + 1, freedom) <= outside(t, freedom) <= 1 and outside(-t, freedom) == outside(t, freedom)


def test_holms_correction_is_that_of_r() -> None:
    assert holm([0.01, 0.02, 0.03, 0.04]) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm([0.03, 0.9, 0.01]) == pytest.approx([0.06, 0.9, 0.03]) and holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_it_is_no_weaker_than_bonferroni_and_keeps_the_order(ps: list[float]) -> None:
    adjusted = holm(ps)
    assert all(p <= each <= min(1.0, len(ps) * p + 1e-12) for p, each in zip(ps, adjusted, strict=True))
    assert [each for _, each in sorted(zip(ps, adjusted, strict=True))] == sorted(adjusted)


def test_of_many_figures_that_do_not_differ_none_is_said_to() -> None:
    """In 95 of 100 comparisons of ten figures each; without the correction in 60."""
    draw, alone, together = random.Random(5), 0, 0
    for _ in range(200):
        both = [[[draw.gauss(10, 1) for _ in range(6)] for _ in "ab"] for _ in range(10)]
        ps = [found.p for a, b in both if (found := difference(a, b))]
        alone, together = alone + (min(ps) < AT), together + (min(holm(ps)) < AT)
    assert alone > 50 and together < 20


def test_what_equal_seeds_share_drops_out(tmp_path: Path) -> None:
    luck = [0.0, 3.0, -2.0, 1.0, -4.0]
    a = a_run(tmp_path / "a", [20 + each for each in luck])
    b = a_run(tmp_path / "b", [20.5 + each + 0.1 * (each > 0) for each in luck], FAST)
    pairs, welch = line_of(a, b), line_of(a, b, paired=False)
    assert pairs.paired and pairs.difference is not None and pairs.difference.pairs == 5
    assert not welch.paired and welch.difference is not None and welch.difference.pairs == 0
    assert pairs.difference.value == pytest.approx(welch.difference.value)
    assert (pairs.significant, welch.significant) == (True, False)
    said: Any = data.as_data(comparison.laid([a, b]))
    assert said["lines"][1]["difference_by"] == "pairs" and said["lines"][1]["significant"] is True


def test_seeds_that_differ_are_no_pairs(tmp_path: Path) -> None:
    a, b = a_run(tmp_path / "a", [20.0, 21.0, 19.0]), a_run(tmp_path / "b", [10.0, 11.5, 9.0], FAST, seed=2)
    assert not line_of(a, b).paired
    shorter = a_run(tmp_path / "c", [10.0, 11.5], FAST)
    assert not line_of(a, shorter).paired


def test_pairs_are_found_over_several_folders_and_in_any_order(tmp_path: Path) -> None:
    luck = {4: 20.0, 1: 23.0, 9: 18.0}
    a = [a_run(tmp_path / f"a{seed}", [value], seed=seed) for seed, value in luck.items()]
    b = [a_run(tmp_path / f"b{seed}", [value / 2], FAST, seed=seed) for seed, value in sorted(luck.items())]
    line = line_of(*a, *b)
    assert line.paired and line.first == [23.0, 20.0, 18.0] and line.values == [11.5, 10.0, 9.0]


def test_pairs_that_are_all_the_same_are_compared_as_if_they_were_none() -> None:
    a, b = [20.0, 20.1, 19.9], [10.0, 10.1, 9.9]
    assert difference_of_pairs(a, b) is None
    found = compared(a, b, paired=True)
    assert found == difference(a, b) and found is not None and found.pairs == 0


def test_one_figure_of_many_by_itself_is_said_to_be_that(tmp_path: Path) -> None:
    a = a_run(tmp_path / "a", [20.0, 20.3, 19.8, 20.1], downtime_s=0.07)
    b = a_run(tmp_path / "b", [20.5, 20.4, 20.3, 20.6], FAST, seed=9, downtime_s=0.07)
    line = line_of(a, b)
    assert (
        line.difference is not None and line.adjusted == line.difference.p
    )  # one figure has noise: nothing to correct
    also = comparison.ComparisonLine(**{f: getattr(line, f) for f in line.__slots__} | {"adjusted": 0.2})
    assert "by itself, not among all figures (Holm)" in words.verdict(also)


@pytest.mark.parametrize(
    ("share", "standing"), [(0.05, BoundStanding.BEYOND), (0.10, BoundStanding.OPEN), (0.2, BoundStanding.WITHIN)]
)
def test_a_figure_is_held_against_a_bound(tmp_path: Path, share: float, standing: BoundStanding) -> None:
    a = a_run(tmp_path / "a", [20.0, 20.3, 19.8, 20.1])
    b = a_run(tmp_path / "b", [22.0, 22.4, 21.9, 22.2], FAST, seed=9)
    found = line_of(a, b).bound(share)
    assert found.standing is standing and found.share == pytest.approx(0.1035, abs=1e-3)


def test_a_bound_below_is_one_too_and_what_is_not_known_is_open() -> None:
    a, b = [20.0, 20.3, 19.8], [10.0, 10.4, 9.9]
    assert bound(a, b, -0.4).standing is BoundStanding.BEYOND and bound(a, b, -0.6).standing is BoundStanding.WITHIN
    assert bound([20.0], [10.0], -0.1).standing is BoundStanding.OPEN
    assert bound([0.0], [1.0], 0.1, model=True).standing is BoundStanding.BEYOND
    assert bound([0.0], [1.0], 0.1, model=True).share is None
    with pytest.raises(ValueError, match="no values"):
        bound([], [1.0], 0.1)


def test_a_bound_keeps_its_word() -> None:
    """A figure that is exactly at its bound is said to be beyond it in one of forty tries."""
    draw, beyond = random.Random(3), 0
    for _ in range(400):
        a, b = [draw.gauss(10, 0.5) for _ in range(6)], [draw.gauss(10.5, 0.5) for _ in range(6)]
        beyond += bound(a, b, 0.05).standing is BoundStanding.BEYOND
    assert beyond < 20


def test_the_command_takes_no_pairs_where_none_are_wanted_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    luck = [0.0, 3.0, -2.0, 1.0, -4.0]
    a = a_run(tmp_path / "a", [20 + each for each in luck])
    b = a_run(tmp_path / "b", [20.5 + each + 0.1 * (each > 0) for each in luck], FAST)
    for option, by, page in (
        ((), "pairs", "by pairs where seeds"),
        (("--unpaired",), "welch", "unpaired as was asked for"),
    ):
        file = tmp_path / "page.html"
        assert main(["compare", str(a), str(b), "--json", "--page", str(file), *option]) == 0
        said = json.loads(capsys.readouterr().out)
        assert said["lines"][1]["difference_by"] == by and said["paired"] is not bool(option)
        assert page in file.read_text(encoding="utf-8")
        assert main(["compare", str(a), str(b), *option]) == 0
        shown = capsys.readouterr().out.splitlines()
        assert said["sentences"] and shown[: len(said["sentences"])] == said["sentences"]
        assert said["sentences"] == sentences(comparison.laid([a, b], paired=not option).lines)
