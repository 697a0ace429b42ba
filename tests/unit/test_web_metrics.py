"""Where a run stands, as Prometheus asks the live page for it: the figures of its export, and they move meanwhile."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.request import Request

import pytest
from prometheus_client import parser as plain
from prometheus_client.openmetrics import parser

from testbed.core.events import (
    Event,
    MigrationFinished,
    MigrationStarted,
    PhaseChanged,
    Progress,
    RoundFinished,
    Sampled,
)
from testbed.core.migration_key import MigrationKey
from testbed.core.outlook import Outlooks
from testbed.core.records.migration import MigrationRecord
from testbed.core.rounds import Round, RoundKind
from testbed.exports import openmetrics
from testbed.exports.openmetrics import OPENMETRICS, PLAIN, content_type
from testbed.exports.standing import LIVE, FiguresSoFar
from testbed.rig.orders import Orders
from testbed.web.guard import LOCAL
from testbed.web.live.run_side import LivePage
from tests.unit.records import a_migration, a_networked_migration, a_summary
from tests.unit.test_web_live import _OPENER, ask, with_token

KEY = MigrationKey(name="m", repeat=2)
RUN = {"scenario": "hello", "engine": "native"}
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
MOVES = (
    MigrationStarted(at=0.0, migration=KEY, index=1, total=2, expected_s=9.0),
    PhaseChanged(at=1.0, migration=KEY, phase="precopy"),
    Progress(at=2.0, migration=KEY, round=1, sent_bytes=60, round_bytes=100),
    Sampled(at=2.0, migration=KEY, link_bytes=60, operations=5, services={"oltp": 3}),
    Progress(at=3.0, migration=KEY, round=1, sent_bytes=90, round_bytes=100),
    Sampled(at=3.0, migration=KEY, link_bytes=95, operations=15, services={"oltp": 7}),
)
ROUND_1 = RoundFinished(
    at=4.0,
    migration=KEY,
    round=Round(
        index=1, kind=RoundKind.PRECOPY, started_s=0.0, duration_s=3.0, sent_bytes=100, dirtied_bytes=30, throttle=0.25
    ),
    decision=None,
)


class Told:
    """What a run has said, as whoever listens gets it."""

    def __init__(self, *events: Event) -> None:
        self._outlooks = Outlooks()
        self.standing = FiguresSoFar(self._outlooks, RUN)
        self.tell(*events)

    def tell(self, *events: Event) -> "Told":
        for event in events:
            self._outlooks.update(event)
            self.standing.take(event)
        return self

    def figures(self) -> dict[str, float]:
        return figures(self.standing.text())


def figures(text: str) -> dict[str, float]:
    """The last reading of each family, its prefix left out. No family may come twice: the parser refuses that."""
    found: Iterator[Any] = parser.text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return {each.name.removeprefix("fast_motion_"): sample.value for each in found for sample in each.samples}


def ended(done: MigrationRecord) -> list[Event]:
    key = done.key
    over = MigrationFinished(
        at=9.0, migration=key, outcome=done.outcome, reason=done.reason, valid=done.valid, record=done
    )
    return [MigrationStarted(at=5.0, migration=key, index=1, total=1), over]


def test_figures_move_while_a_migration_goes_on() -> None:
    told = Told(*MOVES[:4])
    before = told.figures()
    after = told.tell(*MOVES[4:]).figures()
    assert (before["migration_sent_bytes"], after["migration_sent_bytes"]) == (60, 90)
    assert (before["service_operations"], after["service_operations"]) == (3, 7)
    assert (before["migration_left_bytes"], after["migration_left_bytes"]) == (40, 10)
    assert "migration_guest_rate_operations_per_second" not in before
    assert after["migration_guest_rate_operations_per_second"] == 10
    assert (after["migration_link_sent_bytes_per_second"], after["migration_left_seconds"]) == (35, 7)


def test_a_round_that_is_over_is_told_and_counted_once() -> None:
    told = Told(*MOVES, ROUND_1)
    first = told.figures()
    assert (first["migration_sent_bytes"], first["round_sent_bytes"], first["migration_rounds"]) == (100, 100, 1)
    assert (first["round_dirtied_bytes"], first["round_throttle_ratio"]) == (30, 0.25)
    late = told.tell(MOVES[4]).figures()
    assert late["migration_sent_bytes"] == 100, "a word of round 1 that came after its end"
    second = told.tell(Progress(at=5.0, migration=KEY, round=2, sent_bytes=7, round_bytes=30)).figures()
    assert second["migration_sent_bytes"] == 107


def test_what_is_not_over_has_no_end() -> None:
    """Neither an outcome nor a time nor whether it was valid; and of its guest no figure that nobody has measured."""
    text = Told(*MOVES, ROUND_1).standing.text()
    for name in ("valid", "outcome", "total_time", "downtime", "ram_bytes", "link_rate", "rate_before"):
        assert f"fast_motion_migration_{name}" not in text and f"fast_motion_service_{name}" not in text, name
    labels = 'scenario="hello",engine="native",migration="m",repeat="2",guest="vm",phase="precopy"'
    assert f"fast_motion_migration_under_way{{{labels}}} 1.0" in text


def test_what_is_over_is_told_as_its_export_tells_it() -> None:
    one, other = a_networked_migration(), a_migration(name='a"} 1\nx{b="\\', outcome="failed")
    summary = replace(a_summary(one, other), scenario="hello", engine="native")
    told = Told(*MOVES, *ended(one), *ended(other))
    assert "migration_left_bytes" in told.figures(), "one is still under way"
    told.tell(MigrationFinished(at=9.0, migration=KEY, outcome="failed", reason="", valid=False))
    told.standing.valid = summary.valid
    assert told.standing.text() == openmetrics.text(summary)


def test_no_figure_of_the_moment_has_the_name_of_one_that_stays() -> None:
    assert not {each.whole for each in LIVE} & {each.whole for each in openmetrics.FAMILIES}
    assert figures(Told().standing.text()) == {}


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (PROMETHEUS, OPENMETRICS),
        ("application/openmetrics-text", OPENMETRICS),
        ("APPLICATION/OpenMetrics-Text ; version=1.0.0", OPENMETRICS),
        ("", PLAIN),
        ("*/*", PLAIN),
        ("text/html,*/*;q=0.8", PLAIN),
        ("text/plain, application/openmetrics-text;q=0.9", PLAIN),
        ("application/openmetrics-text;q=0", PLAIN),
        ("application/openmetrics-text;q=much, ;;,=,", PLAIN),
        ("application/openmetrics-text;q=nan", PLAIN),
        ("a/b," * 100_000 + "application/openmetrics-text", PLAIN),
    ],
)
def test_who_asks_says_which_text_it_reads(accept: str, kind: str) -> None:
    assert content_type(accept).startswith(kind)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePage]:
    folder = tmp_path_factory.mktemp("metrics") / "results"
    with LivePage("a", folder, LOCAL, 0, Orders(), RUN) as made:
        for event in (*MOVES, *ended(a_migration())):
            made.observe(event)
        with _OPENER.open(Request(f"{made.url}events", headers=with_token(made)), timeout=20) as said:  # noqa: S310
            next(line for line in said if b"MigrationFinished" in line)
        yield made


def test_the_live_page_gives_them_out(page: LivePage) -> None:
    headers = {"Authorization": f"Bearer {page.token}", "Accept": PROMETHEUS}
    with _OPENER.open(Request(f"{page.url}metrics", headers=headers), timeout=20) as answer:  # noqa: S310
        text = answer.read().decode()
        assert answer.headers["Content-Type"] == f"{OPENMETRICS}; version=1.0.0; charset=utf-8"
        assert answer.headers["Vary"] == "Accept" and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert figures(text)["migration_sent_bytes"] == 90 and figures(text)["migration_valid"] == 1
    with _OPENER.open(f"{page.url}metrics?token={page.token}", timeout=20) as answer:
        assert answer.headers["Content-Type"] == PLAIN
        older = {each.name for each in plain.text_string_to_metric_families(answer.read().decode())}
    assert "fast_motion_migration_sent_bytes" in older


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Authorization": "Bearer guessed"}, 403),
        ({"Authorization": "Bearer "}, 403),
        ({"Authorization": "Basic {}"}, 403),
        ({"Authorization": "Bearer {}", "Host": "elsewhere.example"}, 400),
    ],
)
def test_who_has_no_token_or_another_name_for_this_machine_gets_none(
    page: LivePage, headers: dict[str, str], status: int
) -> None:
    given = {name: value.format(page.token) for name, value in headers.items()}
    refused, text = ask(f"{page.url}metrics", **given)
    assert refused == status and "fast_motion_" not in text


def test_metrics_are_read_and_not_written(page: LivePage) -> None:
    assert ask(f"{page.url}metrics", {"what": "stop"}, **with_token(page))[0] == 405
    order = {"Authorization": f"Bearer {page.token}"}
    status, text = ask(f"{page.url}order", {"what": "cancel"}, **order)
    assert (status, json.loads(text)["fault"]) == (403, "not from this run's page")
