"""To give up is a fault, unless it is what was expected; and then nothing else will do."""

from typing import get_args

import pytest

from testbed.core.expectation import unmet
from testbed.core.records.migration import Outcome
from testbed.core.rounds import Action, Decision
from testbed.engines.simulated import run
from testbed.scenario import load
from tests.unit.plans import plan, writes

GAVE_UP = Decision(action=Action.GIVE_UP, reason="gave up after round 5")
WENT_ON = Decision(action=Action.GO_ON, reason="went on after round 5")


def test_whoever_is_to_complete_completes() -> None:
    assert unmet("completes", "completed", "", None) is None
    for outcome in get_args(Outcome)[1:]:
        assert unmet("completes", outcome, "why", GAVE_UP) == f"the migration was {outcome}: why"


def test_whoever_is_to_give_up_decides_to() -> None:
    assert unmet("gives_up", "aborted", "gave up after round 5", GAVE_UP) is None
    for last in (WENT_ON, None):
        assert unmet("gives_up", "aborted", "the link broke", last) is not None
    for outcome in ("completed", "cancelled", "failed"):
        assert "was expected to give up" in (unmet("gives_up", outcome, "why", GAVE_UP) or "")


@pytest.mark.parametrize(("expect", "valid"), [("completes", False), ("gives_up", True)])
def test_the_simulated_engine_judges_by_it(expect: str, valid: bool) -> None:
    more = {"expect": expect}
    seen = run(plan(16, writes(14.1, 8), {"name": "deadline", "after": 60}, **more))
    assert seen.outcome == "aborted" and seen.valid is valid
    assert run(plan(16, writes(1, 8), **more)).valid is not valid


def test_a_matrix_may_expect_both() -> None:
    scenario = load("no-convergence", overrides=["expect=[completes, gives_up]"])
    assert [each.expect for each in scenario.plans()[:2]] == ["completes", "gives_up"]
