"""What a migration gets of a link, beside cross traffic and under caps; in a scenario, in the model, in a record."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from testbed.core.errors import ScenarioError
from testbed.core.plan import CrossTrafficPlan, Plan
from testbed.engines.simulated import run
from testbed.model.full_scale import full_scale
from testbed.model.link import available
from testbed.scenario import load
from tests.unit.plans import GBIT, IDLE, plan, writes


def shared(rate: float | None, protocol: Literal["udp", "tcp"] = "tcp", **migration: object) -> Plan:
    made = plan(128, IDLE, goodput=10)
    cross = None if rate is None else CrossTrafficPlan(rate=rate * 1e9, protocol=protocol)
    return replace(
        made,
        network=replace(made.network, cross_traffic=cross),
        migration=replace(made.migration, **migration),  # type: ignore[arg-type]
    )


def test_cross_traffic_is_taken_off() -> None:
    assert available(shared(None), 10 * GBIT) == 10 * GBIT
    assert available(shared(5.9), 10 * GBIT) == pytest.approx(4.1 * GBIT)
    assert available(shared(5.9, "udp"), 10 * GBIT) == pytest.approx((10 - 5.9 * 1448 / 1472) * GBIT)


def test_streams_carry_no_more_than_their_caps() -> None:
    assert available(shared(None, streams=1, stream_cap=3e9), 10 * GBIT) == 3 * GBIT
    assert available(shared(None, streams=3, stream_cap=3e9), 10 * GBIT) == 9 * GBIT
    assert available(shared(None, streams=4, stream_cap=3e9), 10 * GBIT) == 10 * GBIT
    assert available(shared(8, "udp", streams=3, stream_cap=3e9), 10 * GBIT) == pytest.approx(
        (10 - 8 * 1448 / 1472) * GBIT
    )


@pytest.mark.parametrize(
    ("streams", "connections", "rate", "cap", "share"),
    [
        (1, 8, 20, None, 1 / 9),
        (4, 8, 20, None, 4 / 12),
        (8, 8, 20, None, 8 / 16),
        (3, 8, 8, 3e9, 3 / 11),
        (3, 8, 7, 3e9, 0.3),
        (4, 4, 20, 1e9, 0.4),
        (4, 4, 5.5, 2e9, 0.5),
    ],
)
def test_tcp_yields_down_to_its_share_and_takes_what_caps_leave(
    streams: int, connections: int, rate: float, cap: float | None, share: float
) -> None:
    made = shared(rate, streams=streams, stream_cap=cap)
    cross = CrossTrafficPlan(rate=rate * 1e9, protocol="tcp", connections=connections)
    made = replace(made, network=replace(made.network, cross_traffic=cross))
    assert available(made, 10 * GBIT) == pytest.approx(share * 10 * GBIT)
    seen = run(made)
    assert seen.cross_traffic is not None and seen.cross_traffic.achieved_rate is not None
    assert seen.cross_traffic.achieved_rate == pytest.approx(min(rate, 10 * (1 - share)) * GBIT)


def test_the_model_migrates_over_what_is_left() -> None:
    beside, alone = run(shared(5.9)), run(shared(None))
    assert beside.total_time_s and alone.total_time_s
    assert beside.total_time_s / alone.total_time_s == pytest.approx(10 / 4.1, rel=1e-3)
    assert beside.bytes_sent == alone.bytes_sent
    assert beside.link.goodput == alone.link.goodput and beside.link.available == pytest.approx(4.1e9)
    assert beside.cross_traffic is not None and beside.cross_traffic.rate == pytest.approx(5.9 * GBIT)
    assert alone.cross_traffic is None


def test_waiting_for_the_others_is_sending_and_scales() -> None:
    seen = run(shared(5.9))
    assert seen.full_scale["fixed_s"] == pytest.approx(0, abs=1e-9)
    assert seen.full_scale["goodput"] == pytest.approx(4.1e9)


def test_a_cap_can_keep_a_guest_from_converging() -> None:
    asked = plan(16, writes(7, 8), "plain", goodput=10)
    capped = replace(asked, migration=replace(asked.migration, stream_cap=5e9))
    assert run(asked).outcome == "completed" and run(capped).outcome == "aborted"


def test_a_scenario_says_it_at_real_size(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        "scale: {size: 10, time: 2}\nvm: {ram: 1GiB}\nmigration: {stream_cap: 18Gbit, streams: 2}\n"
        "network: {vmotion: {rate: 40Gbit}, cross_traffic: {rate: 500MB/s}}\n"
    )
    (made,) = load(str(file)).plans()
    assert made.migration.stream_cap == 1.8e9
    assert made.network.cross_traffic == CrossTrafficPlan(rate=0.4e9, protocol="udp")
    (again,) = load(str(file), overrides=["network.cross_traffic=null", "migration.stream_cap=null"]).plans()
    assert (again.network.cross_traffic, again.migration.stream_cap) == (None, None)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("network.cross_traffic.rate=11Gbit", "cross traffic of 11.0 Gbit/s leaves nothing of the vMotion link"),
        ("network.cross_traffic.protocol=sctp", "no protocol of cross traffic is called 'sctp'"),
        ("network.cross_traffic.rat=1Gbit", "did you mean 'rate'?"),
        ("migration.stream_cap=0", "must be more than 0"),
    ],
)
def test_what_cannot_be(tmp_path: Path, override: str, message: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("vm: {ram: 1GiB}\nnetwork: {vmotion: {rate: 10Gbit}, cross_traffic: {rate: 1Gbit}}\n")
    with pytest.raises(ScenarioError) as caught:
        load(str(file), overrides=[override])
    assert message in str(caught.value)


def test_nothing_left_is_refused_by_the_model_too() -> None:
    with pytest.raises(ScenarioError, match="less cross traffic"):
        run(shared(10.5, "udp"))


def test_what_tcp_left_is_as_it_was_measured() -> None:
    """And not as it was foreseen: by that a real round's sending is told from what else it took."""
    seen = run(shared(20, streams=1))
    assert seen.cross_traffic is not None and seen.full_scale["goodput"] == pytest.approx(10e9 / 9)
    seen.cross_traffic.achieved_rate = 7.5 * GBIT
    assert full_scale(seen)["goodput"] == pytest.approx(2.5e9)
    assert full_scale(seen)["fixed_s"] > 0.5 * (seen.total_time_s or 0.0)  # type: ignore[operator]
    seen.cross_traffic.protocol = "udp"
    assert full_scale(seen)["goodput"] == pytest.approx(10e9 / 9)
