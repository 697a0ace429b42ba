"""What the network had of the guest: every way of its going unnoticed leaves a sentence, and nothing else does."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.agents.told import ConnectionFacts, SourceFacts
from testbed.core.records.services import ConnectionsRecord, IdentityRecord
from testbed.core.records.stamps import Stamps
from testbed.findings.identity import breakable, connections, identity, network_reasons, probed_blackout
from tests.unit.evidence import log_of, probed, the_end, the_facts, the_network

REFUSED = ConnectionFacts(
    mechanism="tcp_repair", moved=4, refused=3, refusals={"too large": 1, "still being opened": 2}, foreseen={"IPv6": 1}
)
RESET = ConnectionFacts(mechanism="reset", reason="the scenario says so")
AWAY = "the client's probe died, or said nothing at its end: how long the guest was away is not known"


@pytest.mark.parametrize(
    ("network", "end", "sentence"),
    [
        (
            {},
            {"announced": 2, "announce_fault": "Network is down"},
            "the guest was announced 2 times at the destination: Network is down",
        ),
        (
            {},
            {"announced": 0, "announce_fault": "the destination agent died"},
            "the guest was announced by nobody at the destination: the destination agent died",
        ),
        (
            {"forwarding_after": "esx1"},
            {},
            "the switch sends what is for the guest to esx1, and it is at esx2",
        ),
        (
            {"forwarding_after": None},
            {},
            "the switch sends what is for the guest to nowhere, and it is at esx2",
        ),
        (
            {"forwarding_after": "esx2"},
            {"outcome": "aborted"},
            "the switch sends what is for the guest to esx2, and it is at esx1",
        ),
        ({"probe_finished": False}, {}, AWAY),
        (
            {},
            {"facts": the_facts(connections=REFUSED)},
            "3 of the guest's TCP connections could not be carried over: 1 too large, 2 still being opened",
        ),
        (
            {"forwarding_after": "esx1"},
            {"facts": the_facts(connections=REFUSED), "outcome": "aborted"},
            "3 of the guest's TCP connections did not outlast the attempt: 1 too large, 2 still being opened",
        ),
        (
            {},
            {"facts": the_facts(connections=replace(REFUSED, refusals={}))},
            "3 of the guest's TCP connections could not be carried over",
        ),
    ],
)
def test_what_went_unnoticed_is_said(network: dict[str, Any], end: dict[str, Any], sentence: str) -> None:
    assert list(network_reasons(the_network(**network), the_end(**end), 0.25)) == [sentence]


def test_a_probe_that_was_never_answered_again_is_said() -> None:
    sentences = list(network_reasons(the_network(), the_end(), None))
    assert sentences == ["the client's probe was not answered after the switchover"]


def test_that_a_guest_which_nobody_announced_is_not_found_is_no_reason() -> None:
    """It is the finding, and stands in the record."""
    network, end = the_network(forwarding_after="esx1"), the_end(announced=0)
    assert list(network_reasons(network, end, None, announce=False)) == []
    assert list(network_reasons(replace(network, probe_finished=False), end, None, announce=False)) == [AWAY]
    found = identity(network, end, announce=False)
    assert (found.announce, found.announcements, found.forwarding_after) == (False, 0, "esx1")


@pytest.mark.parametrize(
    ("network", "end", "blackout_s"),
    [
        ({}, {}, 0.25),
        ({"probe": None, "probe_finished": False}, {}, None),
        ({"forwarding_after": None}, {"outcome": "aborted", "facts": None}, None),
        ({"forwarding_after": "esx1"}, {"outcome": "aborted"}, None),
        ({}, {"facts": the_facts(stamps=Stamps(asked=109.0))}, None),
        ({}, {"facts": the_facts(connections=RESET)}, 0.25),
    ],
)
def test_where_there_is_nothing_to_miss_nothing_is_said(
    network: dict[str, Any], end: dict[str, Any], blackout_s: float | None
) -> None:
    assert list(network_reasons(the_network(**network), the_end(**end), blackout_s)) == []


@given(
    announced=st.sampled_from([None, "Network is down"]),
    connection=st.sampled_from([None, RESET, REFUSED]),
    port=st.sampled_from([None, "esx1", "esx2"]),
    finished=st.booleans(),
    outcome=st.sampled_from(["completed", "aborted", "cancelled", "failed"]),
)
def test_each_reason_is_said_by_itself_whatever_the_others_are(
    announced: str | None, connection: ConnectionFacts | None, port: str | None, finished: bool, outcome: Any
) -> None:
    end = the_end(announce_fault=announced, facts=the_facts(connections=connection), outcome=outcome)
    network = the_network(forwarding_after=port, probe_finished=finished)
    elsewhere = port != "esx2" if outcome == "completed" else port == "esx2"
    expected = [announced is not None, connection is REFUSED, elsewhere, not finished]
    assert len(list(network_reasons(network, end, 0.25))) == sum(expected)


@pytest.mark.parametrize(
    ("facts", "outcome", "most"),
    [
        (the_facts(connections=REFUSED), "completed", 3),
        (the_facts(), "completed", 0),
        (the_facts(connections=RESET), "completed", None),
        (the_facts(connections=RESET), "aborted", 0),
        (None, "failed", None),
        (the_facts(connections=None), "completed", None),
    ],
)
def test_how_many_connections_may_break(facts: SourceFacts | None, outcome: Any, most: int | None) -> None:
    assert breakable(the_end(facts=facts, outcome=outcome)) == most


@pytest.mark.parametrize(("outcome", "moved"), [("completed", 4), ("aborted", 0), ("failed", 0)])
def test_no_record_claims_that_connections_moved_whose_guest_did_not(outcome: Any, moved: int) -> None:
    end = the_end(facts=the_facts(connections=REFUSED), outcome=outcome)
    assert connections(the_network(reconnects=5), end) == ConnectionsRecord(
        mechanism="tcp_repair",
        moved=moved,
        refused=3,
        reconnects=5,
        refusals={"too large": 1, "still being opened": 2},
        foreseen={"IPv6": 1},
    )


def test_why_connections_were_reset_is_in_the_record() -> None:
    record = connections(the_network(), the_end(facts=the_facts(connections=RESET)))
    assert record == ConnectionsRecord(mechanism="reset", reason="the scenario says so")


@pytest.mark.parametrize("facts", [None, the_facts(connections=None)])
def test_a_source_that_says_nothing_of_connections_leaves_none(facts: SourceFacts | None) -> None:
    assert connections(the_network(), the_end(facts=facts)) is None


@pytest.mark.parametrize("after", ["esx2", None])
def test_the_identity_is_where_the_switch_had_it(after: str | None) -> None:
    record = identity(the_network(forwarding_after=after), the_end(announced=7))
    assert record == IdentityRecord(
        mac="02:00:0a:00:02:64",
        ip="10.0.2.100",
        forwarding_before="esx1",
        forwarding_after=after,
        announcements=7,
    )


def test_the_blackout_is_of_the_probes_log_and_the_downtimes_edges() -> None:
    gap_s, record = probed_blackout(the_network(probe=probed()), the_end())
    assert gap_s == 0.25 + 1 / 512 and record is not None
    assert record.parts == {"last_answer": 1 / 512, "downtime": 0.125, "next_request": 0.0, "next_answer": 0.125}


@pytest.mark.parametrize("stamps", [Stamps(), Stamps(asked=109.0), Stamps(announced=109.125)])
def test_without_a_switchover_there_is_no_blackout(stamps: Stamps) -> None:
    assert probed_blackout(the_network(), the_end(facts=the_facts(stamps=stamps))) == (None, None)


@pytest.mark.parametrize("probe", [None, log_of([])])
def test_without_a_probe_or_its_answers_there_is_no_blackout(probe: Any) -> None:
    assert probed_blackout(the_network(probe=probe), the_end()) == (None, None)
