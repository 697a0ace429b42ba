"""A migration that ended as it was not meant to is not believed; one that met its fault is asked where its guest is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from testbed.core.agents.moments import in_order, read_fault
from testbed.core.records.services import FaultRecord
from testbed.core.records.stamps import Stamps
from testbed.core.rounds import Action, Decision
from testbed.findings.evidence import Evidence
from testbed.findings.record import judged
from testbed.runfiles.derived import incomplete
from tests.unit.evidence import (
    GO_ON,
    ROUND_1,
    ROUND_2,
    ROUNDS,
    UNCOMPARED,
    a_plan,
    sentences,
    the_end,
    the_evidence,
    the_facts,
    the_network,
)

GIVE_UP = Decision(action=Action.GIVE_UP, reason="it does not converge")
GAVE_UP = ((ROUND_1, GO_ON), (ROUND_2, GIVE_UP))


def stayed(outcome: str, rounds: Any, expect: Any = "gives_up") -> Evidence:
    """A migration that left its guest at the source."""
    end = the_end(
        outcome=outcome, reason="why", runs_at="esx1", rounds=rounds, announced=0, facts=the_facts(stamps=Stamps())
    )
    network = the_network(forwarding_after="esx1")
    return the_evidence(plan=a_plan(expect=expect), ended=end, network=network, memory=UNCOMPARED)


def mended(phase: str, **end: Any) -> Evidence:
    """A migration whose link was cut and mended at once: all is as ever after it."""
    planned = in_order(read_fault(f"{phase}:{what}") for what in ("cut", "mend"))
    records = tuple(FaultRecord(phase=each.phase, what=each.what, at_s=1.0) for each in planned)
    return the_evidence(plan=a_plan(faults=planned), ended=the_end(**end | {"faults": records}))


def broke(fault: str, *, at_s: float | None = 1.0, failure: str | None = None, **end: Any) -> Evidence:
    """A migration that was to meet this fault; unless told otherwise it left its guest at the source."""
    planned = read_fault(fault)
    record = FaultRecord(phase=planned.phase, what=planned.what, at_s=at_s, fault=failure)
    known: dict[str, Any] = {"outcome": "aborted", "reason": "it broke", "runs_at": "esx1", "facts": None}
    seen = the_end(**known | {"faults": (record,), "announced": 0} | end)
    after = the_network(forwarding_after=seen.runs_at)
    memory = {} if seen.outcome == "completed" else {"memory": UNCOMPARED}
    return the_evidence(plan=a_plan(faults=(planned,)), ended=seen, network=after, **memory)


REASONS: dict[str, tuple[Callable[[], Evidence], str]] = {
    "it should have completed": (
        lambda: stayed("cancelled", ROUNDS[:2], "completes"),
        "the migration was cancelled: why",
    ),
    "it broke instead of giving up": (
        lambda: stayed("aborted", ROUNDS[:2]),
        "the migration was expected to give up, and was aborted: why",
    ),
    "it was cancelled after it had given up": (
        lambda: stayed("cancelled", GAVE_UP),
        "the migration was expected to give up, and was cancelled: why",
    ),
    "it should have given up": (
        lambda: the_evidence(plan=a_plan(expect="gives_up")),
        "the migration was expected to give up, and was completed: the guest runs at the destination",
    ),
    "a fault that was never reached": (
        lambda: broke("round-9:cut", at_s=None, outcome="completed", runs_at="esx2", facts=the_facts()),
        "the fault round-9:cut was never reached",
    ),
    "a fault that failed": (
        lambda: broke("commit:cut", failure="no tc", outcome="completed", runs_at="esx2", facts=the_facts()),
        "the fault commit:cut failed: no tc",
    ),
    "a guest that is the destination's before it ran there": (
        lambda: broke("commit:cut", outcome="completed", runs_at="esx2"),
        "after commit:cut the guest has to run at esx1, and it runs at esx2: it broke",
    ),
    "a guest that runs nowhere after a fault": (
        lambda: broke("commit:cut", outcome="failed", runs_at=None),
        "after commit:cut the guest has to run at esx1, and it runs at neither: it broke",
    ),
    "a source that died of itself after a cut was mended": (
        lambda: mended("round-1", facts=None),
        "the source agent died: what it sent is not known",
    ),
    "stamps that are lost after a cut was mended": (
        lambda: mended("commit", facts=the_facts(stamps=Stamps(asked=109.0))),
        "the downtime is not known: the guest runs at the destination",
    ),
    "a guest that was not announced after a cut was mended": (
        lambda: mended("running", announced=0, announce_fault="no such device"),
        "the guest was announced by nobody at the destination: no such device",
    ),
}


@pytest.mark.parametrize("cause", REASONS)
def test_each_cause_is_said_and_nothing_else_is(cause: str) -> None:
    evidence, sentence = REASONS[cause]
    assert sentences(evidence()) == [sentence]


BELIEVED: dict[str, Callable[[], Evidence]] = {
    "one that gave up as it was to": lambda: stayed("aborted", GAVE_UP),
    "a source agent that was killed by plan": lambda: broke("commit:kill-source", outcome="failed"),
    "a destination that was killed before commit": lambda: broke("commit:kill-destination"),
    "an answer that was lost by plan": lambda: broke(
        "running:cut",
        outcome="completed",
        runs_at="esx2",
        facts=the_facts(stamps=Stamps(asked=109.0)),
        announce_fault="the destination agent died",
    ),
    "a cut that was mended": lambda: mended("prepare"),
    "a source agent that was killed after the first step": lambda: broke(
        "running:kill-source", outcome="completed", runs_at="esx2"
    ),
}


@pytest.mark.parametrize("case", BELIEVED)
def test_what_has_no_fault_is_believed(case: str) -> None:
    assert sentences(BELIEVED[case]()) == []


CUT, MEND = (FaultRecord(phase="commit", what=what, at_s=at_s) for what, at_s in (("cut", 2.0), ("mend", 2.1)))


@pytest.mark.parametrize(
    ("met", "asked"),
    [((), True), ((CUT, MEND), True), ((CUT,), False), ((replace(CUT, at_s=None),), True)],
)
def test_after_a_cut_that_was_mended_all_is_asked_that_is_asked_without_one(
    met: tuple[FaultRecord, ...], asked: bool
) -> None:
    """Only a fault that ends the migration leaves things unknown."""
    record = judged(the_evidence(ended=the_end(faults=met, facts=None, announced=2, announce_fault="it is down")))
    assert ("the source agent died: what it sent is not known" in record.invalid_reasons) is asked
    assert any(each.endswith("2 times at the destination: it is down") for each in record.invalid_reasons) is asked
    assert record.outcome == "completed" and incomplete(replace(record, total_time_s=None)) is asked
