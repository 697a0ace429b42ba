"""What a sweep takes beside its points' runs is told at its end, of what was made now and here."""

from pathlib import Path

import pytest

from testbed.cli import main
from testbed.sweeps.together.cost import SweepCost, cost_in_words
from tests.unit.sweeping import grid

Captured = pytest.CaptureFixture[str]


def cost(**changed: float) -> SweepCost:
    known = {"made": 4, "count": 1, "seconds": 20.4, "runs_s": 20.0, "cpu_s": 2.0, "told_s": 1.5} | changed
    return SweepCost(**known)  # type: ignore[arg-type]


def test_of_real_runs_what_is_not_theirs_is_told() -> None:
    said = "4 points in 20.4 s, 20.0 s of it their runs: 100 ms a point beside its run, 2.00%; tables and page 1.5 s"
    assert cost_in_words(cost(), native=True) == said
    assert cost(seconds=19.9).each_s == 0, "clocks that disagree make no time"


def test_of_simulated_ones_how_many_a_processor_makes_in_a_second() -> None:
    assert cost_in_words(cost(made=1000, cpu_s=5.0), native=False).startswith(
        "1,000 points in 20.4 s, 200 for each second"
    )
    both = cost(count=2, runs_s=40.0)
    assert both.each_s == pytest.approx(0.2) and " by 2 processes, 2 for each" in cost_in_words(both, native=False)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_sweep_says_it_of_what_it_made_and_not_of_what_was_there(tmp_path: Path, jobs: str, capsys: Captured) -> None:
    argv = ["sweep", str(grid(tmp_path, "repeats: 1")), "--out", str(tmp_path / "out"), "--jobs", jobs]
    assert main([*argv, "--limit", "1"]) == 0
    assert "\n1 point in " in capsys.readouterr().err
    assert main(argv) == 0
    assert "\n3 points in " in capsys.readouterr().err
    assert main(argv) == 0
    assert " points in " not in capsys.readouterr().err
