"""Every reason not to believe a record is said for its cause, in its words, and for no other."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.agents.told import ConnectionFacts
from testbed.core.records.migration import MemoryRecord
from testbed.core.records.sampler import SamplerReport
from testbed.core.records.services import OrderRecord
from testbed.core.records.stamps import Stamps
from testbed.findings.accounting import CrossCount
from testbed.findings.evidence import Condition, Evidence
from testbed.findings.guest_log import GuestLog
from testbed.findings.record import judged
from tests.unit.evidence import (
    CROSS_RATE,
    LINK,
    PAYLOAD,
    ROUNDS,
    UNCOMPARED,
    VERDICT,
    a_service,
    beside_cross_traffic,
    log_of,
    regular,
    sentences,
    the_end,
    the_evidence,
    the_facts,
    the_log,
    the_marks,
    the_network,
)


def paced(share: float) -> Evidence:
    """Its guest did this share of what was asked before the migration."""
    log = the_log()
    operations = np.where(log.times <= 102.0, log.operations * share, log.operations - 2000 * (1 - share))
    return the_evidence(log=GuestLog(log.times, operations.astype(np.int64)))


DIFFERENT = MemoryRecord(match=False, method="m", pages_mismatched=2, mismatches=[5, 9])
SILENT = log_of(regular(100.0, 109.0, 1 / 16, 1 / 8))


def controls(*each: OrderRecord) -> Evidence:
    return the_evidence(ended=the_end(controls=each))


def counted(more_payload: int) -> Evidence:
    return the_evidence(marks=the_marks(more_payload=more_payload))


def held_back(share: float) -> SamplerReport:
    return SamplerReport(taken=500, lost=5, cpu_s=0.5, elapsed_s=8.0, held_back=share)


def sampled(taken: int, lost: int) -> Evidence:
    return the_evidence(sampler=SamplerReport(taken=taken, lost=lost, cpu_s=0.0, elapsed_s=1.0))


def fared(errors: int | None, fault: str | None) -> Evidence:
    return the_evidence(condition=Condition(errors=errors, fault=fault))


REASONS: dict[str, tuple[Callable[[], Evidence], str]] = {
    "no source agent": (
        lambda: the_evidence(ended=the_end(facts=None)),
        "the source agent died: what it sent is not known",
    ),
    "no downtime": (
        lambda: the_evidence(ended=the_end(reason="it was settled", facts=the_facts(stamps=Stamps(asked=109.0)))),
        "the downtime is not known: it was settled",
    ),
    "another memory": (
        lambda: the_evidence(memory=DIFFERENT),
        "the destination's memory differs from the source's in 2 pages: 5, 9",
    ),
    "another memory, nobody knows where": (
        lambda: the_evidence(memory=replace(DIFFERENT, mismatches=[])),
        "the destination's memory differs from the source's",
    ),
    "more on the link": (lambda: counted(10_000_000), "the accounts of bytes do not add up"),
    "less on the link": (lambda: counted(-10_000_000), "the accounts of bytes do not add up"),
    "a round too few": (
        lambda: the_evidence(ended=the_end(rounds=ROUNDS[:2])),
        "the accounts of bytes do not add up",
    ),
    "a dead guest": (lambda: fared(None, "the guest is dead"), "the guest is dead"),
    "operations that failed": (lambda: fared(3, None), "3 operations of the guest failed"),
    "a slow link": (
        lambda: the_evidence(link=replace(LINK, verified=False, goodput=8e8)),
        "the link delivered 800 Mbit/s instead of 940 Mbit/s",
    ),
    "a slow link of a machine that was held back": (
        lambda: the_evidence(link=replace(LINK, verified=False, goodput=8e8), sampler=held_back(0.038)),
        "the link delivered 800 Mbit/s instead of 940 Mbit/s; "
        "meanwhile this virtual machine's host kept 3.8% of its processors' time from it",
    ),
    "a guest that was held back": (
        lambda: replace(sampled(100, 6), sampler=replace(held_back(0.2), taken=100, lost=6)),
        "6 of 106 samples were lost; meanwhile this virtual machine's host kept 20.0% of its processors' time from it",
    ),
    "a slow link of a machine that was hardly held back": (
        lambda: the_evidence(link=replace(LINK, verified=False, goodput=8e8), sampler=held_back(0.004)),
        "the link delivered 800 Mbit/s instead of 940 Mbit/s",
    ),
    "a link that is slow on the way back": (
        lambda: the_evidence(link=replace(LINK, verified=False, goodput_back=8e8)),
        "the link delivered 800 Mbit/s instead of 940 Mbit/s on the way back",
    ),
    "a link nobody measured": (
        lambda: the_evidence(link=replace(LINK, verified=False, goodput=None)),
        "the link delivered 0.0 bit/s instead of 940 Mbit/s",
    ),
    "little cross traffic": (lambda: beside_cross_traffic(0.9), "the cross traffic reached 90.0% of its rate"),
    "much cross traffic": (lambda: beside_cross_traffic(1.04), "the cross traffic reached 104.0% of its rate"),
    "TCP faster than it was paced to": (
        lambda: beside_cross_traffic(1.04, "tcp"),
        "the cross traffic reached 104.0% of its rate",
    ),
    "no cross traffic by TCP": (lambda: beside_cross_traffic(0.0, "tcp"), "nothing of the cross traffic arrived"),
    "cross traffic by TCP that the accounts do not have": (
        lambda: beside_cross_traffic(0.4, "tcp", cross=CrossCount(payload=0, slack=100_000, rate=0.4 * CROSS_RATE)),
        "the accounts of bytes do not add up",
    ),
    "a slow guest": (lambda: paced(0.5), "the guest reached 50.0% of its write rate before the migration"),
    "a fast guest": (lambda: paced(1.25), "the guest reached 125.0% of its write rate before the migration"),
    "a guest without a log": (
        lambda: the_evidence(log=GuestLog(np.empty(0), np.empty(0, np.int64))),
        "the guest's write rate before the migration is not known: its own log does not say",
    ),
    "lost samples": (lambda: sampled(100, 6), "6 of 106 samples were lost"),
    "no samples": (lambda: sampled(0, 1), "1 of 1 samples were lost"),
    "nobody announced it": (
        lambda: the_evidence(ended=the_end(announced=0, announce_fault="it died")),
        "the guest was announced by nobody at the destination: it died",
    ),
    "refused connections": (
        lambda: the_evidence(
            ended=the_end(facts=the_facts(connections=ConnectionFacts(mechanism="tcp_repair", refused=1)))
        ),
        "1 of the guest's TCP connections could not be carried over",
    ),
    "the switch is behind": (
        lambda: the_evidence(network=the_network(forwarding_after="esx1")),
        "the switch sends what is for the guest to esx1, and it is at esx2",
    ),
    "a dead probe": (
        lambda: the_evidence(network=the_network(probe_finished=False)),
        "the client's probe died, or said nothing at its end: how long the guest was away is not known",
    ),
    "a probe that heard nothing": (
        lambda: the_evidence(network=the_network(probe=log_of(regular(108.0, 109.0, 1 / 512, 1 / 1024)))),
        "the client's probe was not answered after the switchover",
    ),
    "an oracle's finding": (
        lambda: the_evidence(services=(a_service(verdict=replace(VERDICT, ok=False, findings=("2 were lost",))),)),
        "echo: 2 were lost",
    ),
    "an overwritten log": (
        lambda: the_evidence(services=(a_service(lost_rows=7),)),
        "echo: 7 rows of its log were lost",
    ),
    "dead clients": (lambda: the_evidence(services=(a_service(said=None),)), "echo: its clients died"),
    "a silent service": (
        lambda: the_evidence(services=(a_service(client=SILENT),)),
        "echo: it completed nothing in the 1.9 s after the migration, and 16 operations/s before it",
    ),
    "a hand in it": (
        lambda: controls(
            OrderRecord(at_s=1.0, what="cut"),
            OrderRecord(at_s=2.0, what="restore", fault="no"),
            OrderRecord(at_s=3.0, what="rate", value=3e8),
        ),
        "changed by hand: cut, rate 300 Mbit/s",
    ),
    "a step that failed": (lambda: the_evidence(faults=("samples: the disk is full",)), "samples: the disk is full"),
}


@pytest.mark.parametrize("cause", REASONS)
def test_each_cause_is_said_and_nothing_else_is(cause: str) -> None:
    evidence, sentence = REASONS[cause]
    assert sentences(evidence()) == [sentence]


BELIEVED: dict[str, Callable[[], Evidence]] = {
    "a migration without fault": the_evidence,
    "one beside cross traffic": beside_cross_traffic,
    "a guest without a network": lambda: the_evidence(network=None, services=()),
    "a guest without services": lambda: the_evidence(services=()),
    "one whose memory nobody could compare": lambda: the_evidence(memory=UNCOMPARED),
    "a guest that says nothing of its errors": lambda: fared(None, None),
    "an order that was not obeyed": lambda: controls(OrderRecord(at_s=1.0, what="cut", fault="it was too late")),
    "cross traffic by TCP that yields": lambda: beside_cross_traffic(0.4, "tcp"),
    "cross traffic within its tolerance": lambda: beside_cross_traffic(0.975),
    "a pace within its tolerance": lambda: paced(0.992),
    "samples within their tolerance": lambda: sampled(100, 5),
    "connections that were to be reset": lambda: the_evidence(
        ended=the_end(facts=the_facts(connections=ConnectionFacts(mechanism="reset", reason="so")))
    ),
}


@pytest.mark.parametrize("case", BELIEVED)
def test_what_has_no_fault_is_believed(case: str) -> None:
    assert sentences(BELIEVED[case]()) == []


FAULTS: dict[str, dict[str, Any]] = {
    "the destination's memory differs from the source's in 2 pages: 5, 9": {"memory": DIFFERENT},
    "the accounts of bytes do not add up": {"marks": the_marks(more_payload=PAYLOAD)},
    "the guest is dead": {"condition": Condition(errors=None, fault="the guest is dead")},
    "the link delivered 800 Mbit/s instead of 940 Mbit/s": {"link": replace(LINK, verified=False, goodput=8e8)},
    "6 of 106 samples were lost": {"sampler": SamplerReport(taken=100, lost=6, cpu_s=0.0, elapsed_s=1.0)},
    "the switch sends what is for the guest to esx1, and it is at esx2": {
        "network": the_network(forwarding_after="esx1")
    },
    "echo: its clients died": {"services": (a_service(said=None),)},
    "changed by hand: cut": {"ended": the_end(controls=(OrderRecord(at_s=1.0, what="cut"),))},
    "packets: the switch is gone": {"faults": ("packets: the switch is gone",)},
}


@given(said=st.sets(st.sampled_from(list(FAULTS))))
def test_no_fault_hides_another_and_all_are_said_in_one_order(said: set[str]) -> None:
    changes: dict[str, Any] = {}
    for sentence in said:
        changes |= FAULTS[sentence]
    assert sentences(the_evidence(**changes)) == [sentence for sentence in FAULTS if sentence in said]


@given(lost=st.integers(0, 200), taken=st.integers(0, 1000))
def test_samples_are_missed_when_more_than_a_twentieth_is(lost: int, taken: int) -> None:
    missed = [f"{lost} of {lost + taken} samples were lost"]
    assert sentences(sampled(taken, lost)) == (missed if 20 * lost > max(1, taken) else [])


def test_two_services_are_told_apart() -> None:
    wrong = replace(VERDICT, ok=False, findings=("1 was lost", "2 were doubled"))
    services = (a_service(), a_service(name="oltp", verdict=wrong, lost_rows=1))
    assert sentences(the_evidence(services=services)) == [
        "oltp: 1 was lost",
        "oltp: 2 were doubled",
        "oltp: 1 rows of its log were lost",
    ]


def test_services_of_a_guest_without_a_network_are_none() -> None:
    record = judged(the_evidence(network=None, services=(a_service(said=None),)))
    assert record.valid and not record.services
