"""What a run and its live page's server say to each other: of every kind, and what is no message is refused."""

import json
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.events import (
    Controlled,
    Event,
    FaultInjected,
    MigrationFinished,
    MigrationStarted,
    PhaseChanged,
    Progress,
    RoundFinished,
    Sampled,
)
from testbed.core.migration_key import MigrationKey
from testbed.core.records.migration import MigrationRecord
from testbed.core.rounds import Action, Decision, Round, RoundKind, Throttle
from testbed.policies.decisions import THROTTLES as KINDS
from testbed.rig.orders import LEAST_RATE, WORDS, Order
from testbed.web.live.browser_events import as_json
from testbed.web.live.messages import MESSAGES, Grown, Message, Opening, Report, RunEnded, read_order
from tests.unit.records import a_migration

TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=30)
FILE = st.text(st.characters(codec="utf-8"), max_size=300)
COUNT = st.integers(0, 10**18)
NUMBER = st.floats(-1e17, 1e17, allow_subnormal=False).map(lambda number: round(number, 9))
SHARE = st.floats(0, 1).map(lambda share: round(share, 9))
KEY = st.builds(MigrationKey, name=TEXT, repeat=st.integers(1, 1000), guest=TEXT)
ROUND = st.builds(
    Round,
    index=COUNT,
    kind=st.sampled_from(RoundKind),
    started_s=NUMBER,
    duration_s=SHARE,
    sent_bytes=COUNT,
    dirtied_bytes=COUNT,
    scan_s=SHARE,
    throttle=SHARE,
)
DECISION = st.builds(
    Decision,
    action=st.sampled_from(Action),
    reason=TEXT,
    throttle=st.none() | st.builds(Throttle, kind=st.sampled_from(KINDS), level=SHARE, dirty_rate=st.none() | SHARE),
)


@st.composite
def records(draw: st.DrawFn) -> MigrationRecord:
    """A whole one, some of it drawn."""
    key = draw(KEY)
    made = a_migration(name=key.name, repeat=key.repeat, reason=draw(TEXT), total_time_s=draw(SHARE))
    return replace(made, vm=replace(made.vm, name=key.guest))


EVENTS: dict[type[Event], st.SearchStrategy[Event]] = {
    MigrationStarted: st.builds(
        MigrationStarted, at=NUMBER, migration=KEY, index=COUNT, total=COUNT, expected_s=st.none() | NUMBER
    ),
    PhaseChanged: st.builds(PhaseChanged, at=NUMBER, migration=KEY, phase=TEXT),
    Progress: st.builds(Progress, at=NUMBER, migration=KEY, round=COUNT, sent_bytes=COUNT, round_bytes=COUNT),
    RoundFinished: st.builds(RoundFinished, at=NUMBER, migration=KEY, round=ROUND, decision=st.none() | DECISION),
    MigrationFinished: st.builds(
        MigrationFinished,
        at=NUMBER,
        migration=KEY,
        outcome=TEXT,
        reason=TEXT,
        valid=st.booleans(),
        record=st.none() | records(),
    ),
    Controlled: st.builds(
        Controlled,
        at=NUMBER,
        migration=st.none() | KEY,
        what=TEXT,
        value=st.none() | NUMBER,
        fault=st.none() | TEXT,
    ),
    FaultInjected: st.builds(FaultInjected, at=NUMBER, migration=KEY, phase=TEXT, what=TEXT, fault=st.none() | TEXT),
    Sampled: st.builds(
        Sampled,
        at=NUMBER,
        migration=KEY,
        link_bytes=COUNT,
        operations=COUNT,
        services=st.dictionaries(TEXT, COUNT, max_size=3),
        silence_s=st.none() | SHARE,
    ),
}
OTHERS: list[st.SearchStrategy[Message]] = [
    st.builds(Opening, token=TEXT),
    st.builds(Grown, samples=FILE, pages=FILE),
    st.builds(Report, html=FILE),
    st.builds(RunEnded, valid=st.none() | st.booleans(), reason=TEXT, folder=TEXT, report_there=st.booleans()),
]
MESSAGE: st.SearchStrategy[Message] = st.one_of(*EVENTS.values(), *OTHERS)
VALUE = {"rate": st.floats(LEAST_RATE, 1e12), "throttle": st.integers(0, 900).map(lambda part: part / 1000)}


@st.composite
def orders(draw: st.DrawFn) -> Order:
    what = draw(st.sampled_from(WORDS))
    return Order(what=what, value=draw(VALUE.get(what, st.none())), migration=draw(st.none() | KEY))


def test_there_is_an_example_of_every_event() -> None:
    assert EVENTS.keys() == set(get_args(Event))


@given(st.one_of(*EVENTS.values()))
def test_a_browser_gets_each_event_by_name_and_whose_it_is(event: Event) -> None:
    made = json.loads(json.dumps(as_json(event)))
    key = event.migration
    assert made["event"] == type(event).__name__ and "record" not in made
    assert made["migration"] == (key and {"name": key.name, "repeat": key.repeat, "guest": key.guest})


def test_a_report_of_megabytes_comes_through_as_it_is() -> None:
    page = Report(html="<p>\u202e\x1b[1m\r\n</p>" * 200_000)
    assert MESSAGES.read(MESSAGES.line(page)) == page


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"[]\n", b"7", b"{", b"\xff\xfe", b"[" * 100_000, b'{"message": []}', b'{"message": "Event"}',
     b'{"message": "Report"}', b'{"message": "Report", "html": 7}', b'{"message": "Progress", "at": NaN}'],
)  # fmt: skip
def test_a_line_that_is_no_message_is_refused(line: bytes) -> None:
    for read in (MESSAGES.read, read_order):
        with pytest.raises(ValueError):
            read(line.rstrip() + b"\n")
