"""The order of learning: it has every scenario, and says of each what the model and its plans say."""

import json

import pytest

from testbed import scenarios
from testbed.cli import main
from testbed.engines.forecasting import AROUND_S, expected
from testbed.fit.needs import needs
from testbed.scenario import load

LEVELS = ("first", "further", "deep")


def measured(name: str) -> dict[str, float]:
    """Minutes of a whole run, and memory, as the list of scenarios has them."""
    plans = load(name).plans()
    seconds = sum((expected(each).total_s or 0.0) + each.warmup_s + each.cooldown_s + AROUND_S for each in plans)
    most = max(needs(each).memory for each in plans)
    return {"minutes": max(round(seconds / 60, 1), 0.1), "memory_gb": round(most / 1e9, 1)}


def test_every_scenario_has_its_place_and_levels_rise() -> None:
    order = scenarios.in_order()
    assert sorted(each.name for each in order) == scenarios.names()
    levels = [LEVELS.index(each.level) for each in order]
    assert levels == sorted(levels) and order[0].name == "hello"


@pytest.mark.parametrize("name", scenarios.names())
def test_minutes_are_the_models_and_memory_is_the_plans(name: str) -> None:
    kept = next(each for each in scenarios.in_order() if each.name == name)
    now = measured(name)
    assert kept.memory_gb == now["memory_gb"]
    assert kept.minutes == pytest.approx(now["minutes"], rel=0.05, abs=0.11), json.dumps(now)


def test_the_list_is_in_that_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "scenarios"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [each.name for each in scenarios.in_order()]
    assert lines[0].split()[1:6] == ["first", "0.1", "min", "1.0", "GB"]
