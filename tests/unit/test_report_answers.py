"""The run in a sentence: what completed, what gave up as it should, and one reason where many are alike."""

from typing import Any

from testbed.report.words.answers import answer, verdict
from tests.unit.records import a_migration, a_summary


def gave_up(name: str, rounds: int, **changes: Any) -> Any:
    reason = f"gave up after round {rounds}: 1 page left"
    return a_migration(name=name, outcome="aborted", reason=reason, total_time_s=None, downtime_s=None, **changes)


def test_what_is_expected_to_give_up_does_as_the_scenario_expects() -> None:
    both = a_summary(gave_up("a", 62), gave_up("b", 40))
    assert answer(both) == ("As the scenario expects, both migrations gave up; the first after round 62: 1 page left.")
    assert answer(a_summary(gave_up("a", 7))) == (
        "As the scenario expects, the migration gave up after round 7: 1 page left."
    )
    assert verdict(both) == "valid: every check held"


def test_some_may_complete() -> None:
    assert answer(a_summary(a_migration(), gave_up("b", 40))) == (
        "1 of 2 migrations completed, in 21.4 s, with a downtime of 70.0 ms. "
        "As the scenario expects, 1 of 2 migrations gave up; the first after round 40: 1 page left."
    )


def test_what_should_have_completed_has_one_reason_and_a_count() -> None:
    said = answer(a_summary(*(gave_up(name, n, valid=False) for n, name in enumerate("abcd", 1))))
    assert said == "None of 4 migrations completed; the first: gave up after round 1: 1 page left."
    assert answer(a_summary(gave_up("a", 1, valid=False))).startswith("No migration completed: gave up after")
