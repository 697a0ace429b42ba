"""What the network saw of the guest: every way of its going unseen leaves a sentence."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from guest_agent.client.conversation import ClientFinished
from testbed.core.agents.told import ConnectionFacts, SourceFacts, ThrottleFacts
from testbed.core.records.stamps import Stamps
from testbed.findings.ended import Ended
from testbed.findings.reached import breakable, connections, reasons
from testbed.rig.clients import PROBE

PROBED = ClientFinished(sent=9, answered=9, errors=0, reconnects=0)
STAMPS = Stamps(asked=1.0, first_step=1.1, announced=1.2)
REFUSED = ConnectionFacts(
    mechanism="tcp_repair", moved=4, refused=3, refusals={"too large": 1, "still being opened": 2}
)  # fmt: skip


def facts(connections: ConnectionFacts | None) -> SourceFacts:
    return SourceFacts(
        asked=0.5, released=1.3, stamps=STAMPS, streams=(), channel_bytes=0,
        connections=connections, throttle=ThrottleFacts(), cpu_s=0.1,
    )  # fmt: skip


FACTS = facts(ConnectionFacts(mechanism="tcp_repair", moved=4))


def seen(**changes: Any) -> Any:
    """What ``Applications`` knows after a migration without fault."""
    known: dict[str, Any] = {
        "identity": SimpleNamespace(mac="02:00:0a:00:02:64", ip="10.0.2.100"),
        "forwarding": {"before": "esx1", "after": "esx2"},
        "clients": [SimpleNamespace(name=PROBE)],
        "said": {PROBE: PROBED},
    }
    return SimpleNamespace(**known | changes)


def ended(**changes: Any) -> Ended:
    known: dict[str, Any] = {"outcome": "completed", "announced": 4, "facts": FACTS}
    return Ended(**known | changes)


@pytest.mark.parametrize(
    ("applications", "end", "words"),
    [
        ({}, {"announced": 2, "announce_fault": "Network is down"}, "announced 2 times at the destination: Network is"),
        ({}, {"announced": 0, "announce_fault": "the destination agent died"}, "announced by nobody"),
        ({"forwarding": {"before": "esx1", "after": "esx1"}}, {}, "to esx1, and it is at esx2"),
        ({"forwarding": {"before": "esx1", "after": None}}, {}, "to nowhere, and it is at esx2"),
        ({"forwarding": {"after": "esx2"}}, {"outcome": "aborted"}, "to esx2, and it is at esx1"),
        ({"said": {}}, {}, "probe died"),
        (
            {},
            {"facts": facts(REFUSED)},
            "3 of the guest's TCP connections could not be carried over: 1 too large, 2 still being opened",
        ),
        (
            {"forwarding": {"after": "esx1"}},
            {"facts": facts(REFUSED), "outcome": "aborted"},
            "3 of the guest's TCP connections did not outlast the attempt: 1 too large, 2 still being opened",
        ),
    ],
)
def test_what_went_unseen_is_said(applications: dict[str, Any], end: dict[str, Any], words: str) -> None:
    (reason,) = reasons(seen(**applications), ended(**end), 0.1)
    assert words in reason


def test_a_probe_that_was_never_answered_again_is_said() -> None:
    assert list(reasons(seen(), ended(), None)) == ["the client's probe was not answered after the switchover"]


@pytest.mark.parametrize(
    ("applications", "end"),
    [
        ({}, {}),
        ({"identity": None, "forwarding": {}}, {}),
        ({"clients": [], "said": {}}, {}),
        ({"forwarding": {"after": None}}, {"outcome": "aborted", "facts": None}),
    ],
)
def test_where_there_is_nothing_to_miss_nothing_is_said(applications: dict[str, Any], end: dict[str, Any]) -> None:
    assert list(reasons(seen(**applications), ended(**end), 0.1)) == []


@pytest.mark.parametrize(
    ("said", "outcome", "most"),
    [
        (facts(REFUSED), "completed", 3),
        (FACTS, "completed", 0),
        (facts(ConnectionFacts(mechanism="reset")), "completed", None),
        (facts(ConnectionFacts(mechanism="reset")), "aborted", 0),
        (None, "failed", None),
        (facts(None), "completed", None),
    ],
)
def test_how_many_connections_may_break(said: SourceFacts | None, outcome: Any, most: int | None) -> None:
    assert breakable(ended(facts=said, outcome=outcome)) == most


def test_reconnects_are_the_clients_own() -> None:
    said = {"echo": replace(PROBED, reconnects=2), "oltp": replace(PROBED, reconnects=3), PROBE: PROBED}
    found = connections(seen(said=said), ended())
    assert found and (found.moved, found.refused, found.reconnects) == (4, 0, 5)


@pytest.mark.parametrize(("outcome", "moved"), [("completed", 4), ("aborted", 0), ("failed", 0)])
def test_no_record_claims_that_connections_moved_whose_guest_did_not(outcome: Any, moved: int) -> None:
    found = connections(seen(), ended(facts=facts(REFUSED), outcome=outcome))
    assert found and (found.moved, found.refused, found.refusals) == (moved, 3, REFUSED.refusals)
