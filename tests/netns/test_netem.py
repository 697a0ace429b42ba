"""Links with delay and loss: the round trip and the loss that were asked for, counted, and what TCP makes of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.core.plan import LinkPlan, NetworkPlan
from testbed.model.link import link_goodput
from testbed.network.calibrate import calibrate
from testbed.network.fabric import Fabric
from testbed.network.links import shape
from testbed.network.traffic.loss import lost
from testbed.network.traffic.transfer import transfer
from tests.netns.launching import launch

pytestmark = [pytest.mark.stock_kernel, pytest.mark.needs_kernel("netem"), pytest.mark.timeout(900)]
RATE = 1e8
DROPS = 1000
"""By chance their number is off by 3 % (one standard deviation), and a tenth is three of those."""


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    with Fabric(NetworkPlan(vmotion=LinkPlan()), "test-netem") as up:
        yield up


@pytest.mark.parametrize("loss", [0.0, 0.001, 0.01])
@pytest.mark.parametrize("delay_s", [0.005, 0.05])
def test_a_shaped_link_with_delay_and_loss_is_proved(fabric: Fabric, delay_s: float, loss: float) -> None:
    plan = LinkPlan(rate=RATE, delay_s=delay_s, loss=loss)
    shape(fabric, "vmotion", plan)
    record = calibrate(fabric, plan)
    assert record.least_rtt_s == pytest.approx(2 * delay_s, rel=0.1)
    assert (record.delay_s, record.loss) == (delay_s, loss)
    assert record.goodput
    if not loss:
        assert record.measured_loss is None and record.expected_goodput is not None
    elif delay_s < 0.01:  # with more, TCP is still at its first window when the second is over
        assert 0.5 < record.goodput / (link_goodput(plan) * 8) < 2, record
    assert record.verified, record


@pytest.mark.parametrize("delay_s", [0.005, 0.05])
def test_a_round_trip_is_twice_the_delay_to_a_tenth(fabric: Fabric, delay_s: float) -> None:
    shape(fabric, "vmotion", LinkPlan(rate=RATE, delay_s=delay_s))
    seen = transfer(fabric, congestion="cubic", size=256 << 10, round_trips=20)
    assert seen.least_rtt_s == pytest.approx(2 * delay_s, rel=0.1)


@pytest.mark.parametrize("loss", [0.001, 0.01])
def test_loss_is_what_was_asked_for_to_a_tenth(fabric: Fabric, loss: float) -> None:
    plan = LinkPlan(rate=RATE, delay_s=0.005, loss=loss)
    shape(fabric, "vmotion", plan)
    counted = lost(fabric, plan, packets=round(DROPS / loss), seconds=600)
    assert counted.sent == round(DROPS / loss)
    assert counted.share == pytest.approx(loss, rel=0.1), counted


def test_a_link_that_loses_or_delays_otherwise_than_planned_is_not_verified(fabric: Fabric) -> None:
    shape(fabric, "vmotion", LinkPlan(rate=RATE, delay_s=0.005, loss=0.02))
    assert not calibrate(fabric, LinkPlan(rate=RATE, delay_s=0.005, loss=0.01)).verified
    shape(fabric, "vmotion", LinkPlan(rate=RATE, delay_s=0.008))
    assert not calibrate(fabric, LinkPlan(rate=RATE, delay_s=0.005)).verified


def moved(out: Path, ram: str, write_rate: str, **link: float | str) -> dict[str, Any]:
    """A small guest's migration over a link of 100 Mbit/s."""
    settings = {
        "network.vmotion.goodput": "100Mbit",
        **{f"network.vmotion.{name}": value for name, value in link.items()},
        "vm.ram": ram,
        "vm.workload.working_set": "4MB",
        "vm.workload.write_rate": write_rate,
        "migration.policy.downtime_goal": "500ms",
    }
    words = [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]
    with launch(out, "hello", *words) as run:
        (done,) = run.valid()
    assert done["memory"]["match"], json.dumps(done["memory"])
    return done


@pytest.mark.usefixtures("fabric")
@pytest.mark.parametrize("delay", ["5ms", "50ms"])
def test_a_guest_moves_over_such_a_link_as_predicted(tmp_path: Path, delay: str) -> None:
    done = moved(tmp_path / "run", "32MB", "1MB/s", delay=delay)
    assert done["predicted"]["total_time_s"] == pytest.approx(done["total_time_s"], rel=0.15)


@pytest.mark.usefixtures("fabric")
@pytest.mark.parametrize(("delay", "ram", "write_rate"), [("5ms", "32MB", "1MB/s"), ("50ms", "8MB", "50kB/s")])
def test_where_frames_are_lost_it_takes_as_long_as_chance_has_it(
    tmp_path: Path, delay: str, ram: str, write_rate: str
) -> None:
    """At 50 ms so little is written that it ends at a fortieth of the rate too."""
    done = moved(tmp_path / "run", ram, write_rate, delay=delay, loss=0.001)
    said = done["predicted"]
    assert said["low"]["total_time_s"] * 0.8 <= done["total_time_s"] <= said["high"]["total_time_s"] * 1.25
