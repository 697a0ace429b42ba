"""Orders by hand: when they may be given, and what a link in somebody's hands does."""

import json
import signal
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.errors import ScenarioError
from testbed.core.migration_key import MigrationKey
from testbed.core.plan import LinkPlan
from testbed.core.text.printable import printable
from testbed.network.links import UNTRIMMED, Trim
from testbed.rig import orders
from testbed.rig.orders import LEAST_RATE, MOST_THROTTLE, NONE_UNDER_WAY, WORDS, LinkOrders, Order, Orders

WEB, DB = MigrationKey(name="m", guest="web"), MigrationKey(name="m", guest="db")
CUT, MEND = Order(what="cut"), Order(what="mend")


def rate(value: float) -> Order:
    return Order(what="rate", value=value)


def test_orders_wait_for_the_migration_that_is_under_way_and_for_no_other() -> None:
    controls = Orders()
    assert controls.give(CUT) == NONE_UNDER_WAY and controls.take(WEB) is None
    controls.open(WEB)
    assert controls.give(CUT) is None and controls.give(MEND) is None
    controls.open(WEB)
    assert controls.take(WEB) == CUT, "who opens it twice loses nothing"
    assert controls.close(WEB) == [MEND], "it came too late"
    assert controls.give(CUT) == NONE_UNDER_WAY
    controls.open(WEB)
    assert controls.take(WEB) is None


def test_of_two_under_way_each_gets_the_orders_that_name_it() -> None:
    controls = Orders()
    controls.open(WEB)
    controls.open(DB)
    assert controls.give(CUT) == "2 migrations are under way; say which: m, guest db, m, guest web"
    for_db, for_web = replace(CUT, migration=DB), replace(MEND, migration=WEB)
    assert controls.give(for_db) is None and controls.give(for_web) is None
    assert (controls.take(WEB), controls.take(WEB)) == (for_web, None)
    assert controls.close(DB) == [for_db], "it came too late for the one, and nothing for the other"
    assert controls.give(for_db) == "the migration m, guest db is not under way"
    assert controls.give(CUT) is None and controls.take(WEB) == CUT, "there is only one again"


def test_what_its_mover_cannot_be_told_is_refused_by_name_and_not_kept() -> None:
    controls = Orders()
    controls.open(WEB, {"cancel"})
    assert controls.give(CUT) == "what moves this guest cannot be told 'cut'"
    assert controls.give(Order(what="cancel")) is None
    assert controls.close(WEB) == [Order(what="cancel")]


@given(st.sampled_from(WORDS), st.floats(LEAST_RATE, 1e12), st.none() | st.builds(MigrationKey, name=st.text()))
def test_an_order_is_read_as_it_was_said(what: str, number: float, migration: MigrationKey | None) -> None:
    value = {"rate": number, "throttle": min(number, MOST_THROTTLE)}.get(what)
    order = Order(what=what, value=value, migration=migration)
    again = Order.read(json.loads(json.dumps(asdict(order))))
    assert again == replace(order, migration=migration and replace(migration, name=printable(migration.name)))


@pytest.mark.parametrize(
    "migration", ["m", [], {}, {"name": 3}, {"name": "m", "repeat": "x"}, {"name": "m", "repeat": -1}]
)
def test_a_migration_that_nothing_can_be_called_is_refused(migration: object) -> None:
    with pytest.raises(ScenarioError, match="an order names no migration so"):
        Order.read({"what": "cut", "migration": migration})


def test_stop_is_the_users_ctrl_c_at_any_time() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    try:
        assert Orders().give(Order(what="stop")) is None
        assert heard == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)


class Tc:
    """Stands for ``network.links``: what was set, in order."""

    UNTRIMMED = UNTRIMMED

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.trims: list[Trim] = []
        self.shaped: list[LinkPlan] = []

    def cut(self, _fabric: object, _network: str) -> None:
        self.done.append("cut")

    def mend(self, _fabric: object, _network: str, plan: LinkPlan, trim: Trim, shaped: LinkPlan) -> None:
        self.done.append(("mend", plan.rate, plan.goodput))
        self.trims.append(trim)
        self.shaped.append(shaped)

    def set_rate(self, _fabric: object, _network: str, plan: LinkPlan, trim: Trim, shaped: LinkPlan) -> None:
        self.done.append(("rate", plan.rate))
        self.trims.append(trim)
        self.shaped.append(shaped)


@pytest.fixture
def tc(monkeypatch: pytest.MonkeyPatch) -> Tc:
    made = Tc()
    monkeypatch.setattr(orders, "links", made)
    return made


def link() -> LinkOrders:
    return LinkOrders(None, LinkPlan(goodput=3e8))  # type: ignore[arg-type]


def test_mended_it_is_what_it_was(tc: Tc) -> None:
    hands = link()
    assert [hands.obey(order) for order in (CUT, MEND, rate(1e8), CUT, MEND)] == [None] * 5
    assert tc.done == ["cut", ("mend", None, 3e8), ("rate", 1e8), "cut", ("mend", 1e8, None)]


def test_a_rate_does_not_mend_a_link_that_is_cut(tc: Tc) -> None:
    hands = link()
    for order in (CUT, rate(2e8), MEND):
        assert hands.obey(order) is None
    assert tc.done == ["cut", ("mend", 2e8, None)]


def test_whatever_is_set_by_hand_the_link_stays_trimmed_as_it_was_proved(tc: Tc) -> None:
    hands, trim = link(), Trim(forth=1.004, back=0.999)
    hands.trim = trim
    for order in (rate(1e8), CUT, MEND):
        assert hands.obey(order) is None
    assert tc.trims == [trim, trim]


def test_whatever_was_set_before_the_segments_are_those_of_the_link_as_it_was_made(tc: Tc) -> None:
    hands = link()
    for order in (rate(1e8), rate(5e7), CUT, MEND):
        assert hands.obey(order) is None
    assert tc.shaped == [LinkPlan(goodput=3e8)] * 3


@pytest.mark.parametrize("value", [0, 1e6, LEAST_RATE - 1, float("inf"), float("nan"), -1, 1e19, 10**400])
def test_rates_that_would_look_like_a_hang_are_refused(value: float) -> None:
    with pytest.raises(ScenarioError, match="Mbit/s or more"):
        Order.read({"what": "rate", "value": value})


@pytest.mark.parametrize(
    ("what", "value", "said"),
    [
        ("throttle", float("nan"), "not nan"),
        ("throttle", 2, "not 2"),
        ("rate", 1.0, "10 Mbit/s or more, not 1.0 bit/s"),
    ],
)
def test_what_is_refused_is_said_as_it_was_meant(what: str, value: float, said: str) -> None:
    with pytest.raises(ScenarioError, match=f"{said}$"):
        Order.read({"what": what, "value": value})
