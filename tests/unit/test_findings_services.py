"""What became of a service: whose rows count, which stretches they fall into, and all that speaks against it."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guest_agent.client.conversation import ClientFinished
from testbed.core.agents.told import ConnectionFacts
from testbed.core.records.services import ServiceRecord
from testbed.core.records.stamps import Stamps
from testbed.findings.brownout import Stretch
from testbed.findings.rows import COLUMNS, joined
from testbed.findings.services import grace_s, service_reasons, service_record, stretches
from tests.unit.evidence import (
    ROUND_1,
    ROUND_2,
    ROUNDS,
    SAID,
    STAMPS,
    VERDICT,
    a_mark,
    a_service,
    log_of,
    regular,
    the_end,
    the_facts,
    the_marks,
)

SOURCE_ROWS = log_of(regular(100.0, 109.0, 1 / 8, 1 / 16))
DESTINATION_ROWS = log_of(regular(109.25, 111.0, 1 / 8, 1 / 16))
ASLEEP = log_of(regular(100.0, 109.0, 1 / 16, 1 / 8))


def recorded(**changes: Any) -> ServiceRecord:
    return service_record(a_service(**changes), the_end(), the_marks())


def by_guest(**changes: Any) -> ServiceRecord:
    """A service that nobody talks to."""
    known: dict[str, Any] = {"clients": False, "client": None, "said": None, "logs": (SOURCE_ROWS, DESTINATION_ROWS)}
    return recorded(**known | changes)


def test_a_service_with_clients_is_as_its_clients_had_it() -> None:
    record = recorded()
    assert (record.name, record.seen_by, record.operation_bytes) == ("echo", "client", 512)
    assert record.operations == 9 * 16 + 28
    assert (record.rate_before, record.rate_during, record.rate_throttled) == (16.0, 16.0, 16.0)
    assert record.rate_after == 28 / 1.875
    assert record.longest_halt_s == 0.3125


def test_its_stretches_are_exact_and_each_operation_is_in_the_one_that_it_ended_in() -> None:
    phases = {phase.phase: phase for phase in recorded().phases}
    assert list(phases) == ["before", "round 1", "round 2", "throttled", "switchover", "after"]
    assert [(phase.begin_s, phase.end_s) for phase in phases.values()] == [
        (-2.0, 0.0), (0.5, 4.5), (4.5, 6.5), (4.5, 6.5), (7.0, 7.125), (7.125, 9.0),
    ]  # fmt: skip
    assert [phase.operations for phase in phases.values()] == [32, 64, 32, 32, 0, 28]
    assert [phase.latency_max_s for phase in phases.values()] == [0.125, 0.125, 0.125, 0.125, None, 0.125]


def test_a_service_without_clients_is_as_both_of_its_hosts_had_it() -> None:
    record = by_guest()
    assert (record.seen_by, record.operations) == ("guest", 9 * 8 + 14)
    assert (record.rate_before, record.longest_halt_s, record.verified) == (8.0, 0.375, True)
    assert (record.errors, record.reconnects, record.abandoned) == (None, None, None)


def test_a_service_whose_clients_had_no_host_is_as_the_guest_had_it() -> None:
    record = recorded(client=None, said=None, logs=(SOURCE_ROWS, DESTINATION_ROWS))
    assert (record.seen_by, record.operations) == ("client", 9 * 8 + 14)
    assert record.findings == ["its clients died"] and record.verified is False


def test_what_its_clients_counted_is_in_the_record() -> None:
    record = recorded(said=ClientFinished(sent=9, answered=5, errors=1, reconnects=2, abandoned=3, broken=4))
    assert (record.errors, record.reconnects, record.abandoned) == (1, 2, 3)


def test_what_its_oracle_says_is_in_the_record() -> None:
    verdict = replace(VERDICT, ok=False, lost=2, doubled=1, findings=("2 were lost", "1 was doubled"))
    record = recorded(verdict=verdict)
    assert (record.verified, record.method) == (False, "every operation once")
    assert (record.lost, record.doubled, record.findings) == (2, 1, ["2 were lost", "1 was doubled"])


@pytest.mark.parametrize(
    ("changes", "findings"),
    [
        ({}, []),
        ({"lost_rows": 3}, ["3 rows of its log were lost"]),
        ({"said": None}, ["its clients died"]),
        (
            {"client": ASLEEP},
            ["it completed nothing in the 1.9 s after the migration, and 16 operations/s before it"],
        ),
        ({"client": log_of(regular(100.0, 102.5, 1 / 4, 1 / 8))}, []),
        ({"clients": False, "client": None, "logs": (log_of([]), log_of([]))}, []),
    ],
)
def test_what_speaks_against_it_beside_its_oracle(changes: dict[str, Any], findings: list[str]) -> None:
    record = recorded(**changes)
    assert record.findings == findings and record.verified == (not findings)


def test_all_that_speaks_against_it_is_said() -> None:
    verdict = replace(VERDICT, ok=False, findings=("2 were lost",))
    record = recorded(verdict=verdict, lost_rows=3, said=None, client=ASLEEP)
    assert [finding.split()[:2] for finding in record.findings] == [
        ["2", "were"], ["3", "rows"], ["its", "clients"], ["it", "completed"],
    ]  # fmt: skip


def test_reasons_are_of_those_that_were_not_verified() -> None:
    wrong = recorded(name="oltp", lost_rows=3)
    unchecked = replace(recorded(), verified=None, findings=["nobody looked"])
    assert list(service_reasons([recorded(), wrong, unchecked])) == ["oltp: 3 rows of its log were lost"]
    assert list(service_reasons([])) == []


def test_the_stretches_are_the_rounds_beside_the_guest_and_the_switchover() -> None:
    assert stretches(the_end(), the_marks()) == [
        Stretch(name="round 1", begin=102.5, end=106.5),
        Stretch(name="round 2", begin=106.5, end=108.5, throttled=True),
        Stretch(name="switchover", begin=109.0, end=109.125),
    ]


@pytest.mark.parametrize("stamps", [Stamps(), Stamps(asked=109.0), Stamps(announced=109.125)])
def test_a_guest_that_was_not_heard_elsewhere_had_no_switchover(stamps: Stamps) -> None:
    names = [each.name for each in stretches(the_end(facts=the_facts(stamps=stamps)), the_marks())]
    assert names == ["round 1", "round 2"]


def test_rounds_without_a_decision_are_no_stretch() -> None:
    end = the_end(rounds=((ROUND_1, ROUNDS[0][1]), (ROUND_2, None)), facts=None)
    assert [each.name for each in stretches(end, the_marks())] == ["round 1"]


@pytest.mark.parametrize(
    ("connections", "stamps", "seconds"),
    [
        (ConnectionFacts(mechanism="tcp_repair"), STAMPS, 0.25 + 0.5),
        (ConnectionFacts(mechanism="tcp_repair", refused=1), STAMPS, 0.25 + 2.5),
        (ConnectionFacts(mechanism="reset"), STAMPS, 0.25 + 2.5),
        (None, STAMPS, 0.25 + 2.5),
        (ConnectionFacts(mechanism="tcp_repair"), Stamps(), 0.5),
        (ConnectionFacts(mechanism="tcp_repair"), Stamps(asked=105.0), 9.0 + 0.5),  # until TCP gave up, and it stayed
    ],
)
def test_how_long_clients_may_need_to_be_back(
    connections: ConnectionFacts | None, stamps: Stamps, seconds: float
) -> None:
    assert grace_s(the_end(facts=the_facts(connections=connections, stamps=stamps)), at=109.5) == seconds


@pytest.mark.parametrize(("cooled", "silent"), [(110.4375, False), (110.5625, True)])
def test_silence_says_something_once_ten_operations_were_due(cooled: float, silent: bool) -> None:
    """From the announcement at 109.125 clients have 0.75 s, and ten operations are 0.625 s."""
    marks = replace(the_marks(), cooled=a_mark(cooled))
    record = service_record(a_service(client=ASLEEP), the_end(), marks)
    assert bool(record.findings) == silent


@given(ends=st.lists(st.integers(100_000, 111_000), max_size=60), cut=st.integers(0, 60))
def test_an_operation_counts_once_at_whichever_host_it_was_done(ends: list[int], cut: int) -> None:
    operations = [(at / 1000 - 0.001, at / 1000) for at in ends]
    record = by_guest(logs=(log_of(operations[:cut]), log_of(operations[cut:])))
    phases = {phase.phase: phase for phase in record.phases}
    assert record.operations == len(ends)
    assert phases["before"].operations == sum(100_000 <= at < 102_000 for at in ends)
    assert phases["switchover"].operations == sum(109_000 <= at < 109_125 for at in ends)
    edges = [102_000, *sorted(at for at in ends if 102_000 <= at <= 111_000), 111_000]
    halts = [after - before for before, after in pairwise(edges)]
    assert record.longest_halt_s == pytest.approx(max(halts) / 1000, abs=1e-6)


def test_logs_are_joined_in_their_order() -> None:
    assert joined(()).shape == (0, COLUMNS)
    rows = joined((SOURCE_ROWS, log_of([]), DESTINATION_ROWS))
    assert np.array_equal(rows, np.concatenate([SOURCE_ROWS, DESTINATION_ROWS]))


def test_a_client_that_said_something_is_told_from_one_that_said_nothing() -> None:
    assert recorded(said=replace(SAID, sent=0, answered=0)).findings == []
