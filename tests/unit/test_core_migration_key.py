"""A migration's key: the same from the plan to the record, and words for people."""

import pytest

from testbed.core.migration_key import GUEST, MigrationKey
from testbed.core.records.migration import NotMadeRecord
from testbed.engines.simulated import run
from testbed.scenario import load


def test_a_plan_its_record_and_its_not_being_made_are_of_one_migration() -> None:
    for plan in load("hello").plans(repeat=2):
        assert run(plan).key == plan.key == MigrationKey(name=plan.name, repeat=plan.repeat, guest=GUEST)
        assert NotMadeRecord(name=plan.name, repeat=plan.repeat, reason="x").key == plan.key


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (MigrationKey(name="hello"), "hello"),
        (MigrationKey(name="hello", repeat=2), "hello (repeat 2)"),
        (MigrationKey(name="hello", guest="db"), "hello, guest db"),
    ],
)
def test_people_are_told_what_they_cannot_take_for_granted(key: MigrationKey, said: str) -> None:
    assert str(key) == said
