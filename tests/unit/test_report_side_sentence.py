"""What a comparison comes to is said in a sentence: who is faster, by how much, or that nobody can tell."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.cli import main
from testbed.report.side import comparison, page
from testbed.report.side.comparison import ComparisonLine
from testbed.report.side.measures import MEASURES
from testbed.report.side.sentence import TOLD, sentences
from testbed.report.side.several import compared
from testbed.report.side.spread import spread
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import SCENARIO, made

FAST = SCENARIO.replace("2048MB", "1024MB")
TOTAL, DOWNTIME = MEASURES[0], MEASURES[1]


def folders(folder: Path, *groups: tuple[float, ...], **changes: Any) -> list[Path]:
    """Runs of these total times, of two scenarios; seeds differ, so that nothing is paired."""
    found = []
    for name, totals, scenario in zip("ab", groups, (SCENARIO, FAST), strict=True):
        repeats = [a_migration(total_time_s=total, repeat=i, **changes) for i, total in enumerate(totals, 1)]
        found.append(made(folder / name, a_summary(*repeats), scenario))
    return found


def said(folder: Path, *groups: tuple[float, ...], **changes: Any) -> list[str]:
    return sentences(comparison.laid(folders(folder, *groups, **changes)).lines)


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        (
            ((20.0, 20.2, 19.9), (10.0, 10.1, 9.9)),
            r"ram=1024MB is faster than ram=2048MB: 10 s instead of 20\.03 s, 50\.\d+% less \(95 % interval: 4\d",
        ),
        (((10.0, 10.1, 9.9), (20.0, 20.2, 19.9)), r"ram=1024MB is slower than ram=2048MB: .* more \(95 % interval: 9"),
        (
            ((20.0, 20.2, 19.9), (20.1, 19.8, 20.3)),
            r"total time: no difference can be told between ram=1024MB and ram=2048MB: .*; one below .*% would be",
        ),
        (((20.0,), (10.0,)), r"total time: no difference can be told .*, of too few repeats: 10 s against 20 s\.$"),
        (
            ((20.0, 20.0), (21.0, 21.0)),
            r"ram=1024MB is slower than .*: 21 s .*, 5\.0% more, in every repeat\.$",
        ),
        (
            ((20.1, 20.1), (20.0, 20.6, 19.4)),  # of as many they would be pairs
            r"total time: no difference .*, since one of the two is the same in every repeat: .* 20 s against 20\.10 s",
        ),
        (((20.0, 20.0), (20.0, 20.0)), r"ram=1024MB is as fast as ram=2048MB: 20 s, in every repeat\.$"),
    ],
    ids=["faster", "slower", "open", "few", "constant", "half", "alike"],
)
def test_who_is_faster_and_by_how_much(tmp_path: Path, groups: tuple[tuple[float, ...], ...], told: str) -> None:
    first, second = said(tmp_path, *groups)
    assert re.match(told, first), first
    assert "downtime" in second


def test_it_is_what_the_page_and_the_terminal_begin_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = folders(tmp_path, (20.0, 20.2, 19.9), (10.0, 10.1, 9.9))
    seen = comparison.laid(both)
    first = sentences(seen.lines)[0]
    assert first in page.html(seen).split("<table>", 1)[0]
    assert main(["compare", *map(str, both)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == first


times = st.lists(st.floats(0.001, 1e6), min_size=2, max_size=5)


@given(a=times, b=times, measure=st.sampled_from([TOTAL, DOWNTIME]))
def test_a_sentence_never_says_more_than_the_figures(a: list[float], b: list[float], measure: Any) -> None:
    """Whatever the numbers: less is never called more, and what is not beyond the noise is no difference."""
    apart = compared(a, b, paired=False)
    adjusted = apart.p if apart else None
    base = ComparisonLine(migration="", measure=measure, group="a", spread=spread(a), values=a)
    line = ComparisonLine(
        migration="",
        measure=measure,
        group="b",
        spread=spread(b),
        values=b,
        difference=apart,
        base=base.spread.mean,
        doubt=comparison._doubt("a", a, b, model=False, apart=apart),
        adjusted=adjusted,
    )
    (told,) = sentences([base, line])
    less, more, _ = TOLD[measure.key]
    if less in told:
        assert line.spread.mean < base.spread.mean and line.significant is not False
    if more in told:
        assert line.spread.mean > base.spread.mean and line.significant is not False
    if "in every repeat." in told:
        assert len(set(a)) == len(set(b)) == 1
    if apart and not line.significant and line.spread.mean != base.spread.mean:
        assert less not in told and more not in told
