"""How long TCP takes that begins with few bytes and doubles them, or comes down: by formula, and step by step."""

import math
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.network.frames import TCP_IP_BYTES
from testbed.core.plan import LinkPlan, Plan
from testbed.model.link import link_goodput, streams
from testbed.model.streams import RandomLoss, Streams
from tests.unit.plans import IDLE, plan

FIRST = 14480.0
SEGMENT = 1448
LINKS = {"goodput": st.floats(1e5, 1e10), "rtt_s": st.floats(1e-5, 1.0)}
LOSSY = {"rate": st.floats(1e6, 1e9), "rtt_s": st.floats(1e-3, 0.3), "loss": st.floats(1e-5, 0.05)}


def late(size: float, goodput: float, rtt_s: float, first: float = FIRST) -> float:
    """Seconds that it takes longer than at once at ``goodput``."""
    return Streams(rate=goodput, rtt_s=rtt_s, first=first).seconds(size) - size / goodput


def doubled(size: float, goodput: float, rtt_s: float) -> float:
    """Seconds until all is sent: a window a round trip, twice as large each time, until the link is full."""
    window, at, left = FIRST, 0.0, size
    while window < goodput * rtt_s and left > window:
        at, left, window = at + rtt_s, left - window, window * 2
    return at + (left / goodput if window >= goodput * rtt_s else rtt_s * left / window)


@given(size=st.floats(1e3, 1e12), **LINKS)
def test_it_is_what_doubling_takes_to_a_third_of_a_round_trip(size: float, goodput: float, rtt_s: float) -> None:
    assert late(size, goodput, rtt_s) == pytest.approx(doubled(size, goodput, rtt_s) - size / goodput, abs=rtt_s / 3)


@given(**LINKS)
def test_a_link_that_holds_no_more_than_the_first_window_makes_nothing_late(goodput: float, rtt_s: float) -> None:
    assert late(1e9, goodput, rtt_s, first=goodput * rtt_s) == late(1e9, goodput, 0.0) == 0.0


@given(size=st.floats(1e3, 1e12), more=st.floats(1, 4), **LINKS)
def test_it_is_never_less_than_nothing_and_more_with_a_longer_round_trip(
    size: float, more: float, goodput: float, rtt_s: float
) -> None:
    grain = 1e-9 * (1 + size / goodput)
    assert -grain <= late(size, goodput, rtt_s) <= late(size, goodput, rtt_s * more) + grain


def test_a_round_trip_of_a_tenth_of_a_second_at_100_mbit_is_half_a_second_late() -> None:
    """As a real stream was, at 50 ms each way: its window was 10 segments, 40 after 0.24 s, 160, 688."""
    assert late(32e6, 12.5e6, 0.1) == pytest.approx(0.544, abs=0.001)


def lossy(rate: float, rtt_s: float, loss: float, count: int = 1) -> Streams:
    """By Mathis's mean window."""
    lost = RandomLoss.of(loss, math.sqrt(1.5 / loss), "cubic")
    return Streams(rate=rate, rtt_s=rtt_s, first=10 * SEGMENT * count, segments=count * SEGMENT, loss=lost)


@given(parts=st.lists(st.floats(1e3, 1e8), min_size=1, max_size=6), **LOSSY)
def test_in_parts_it_takes_as_long_as_in_one(parts: list[float], rate: float, rtt_s: float, loss: float) -> None:
    made, sent, took = lossy(rate, rtt_s, loss), 0.0, 0.0
    for part in parts:
        took, sent = took + made.seconds(part, after=sent), sent + part
    assert took == pytest.approx(made.seconds(sent), rel=1e-6)


@given(sizes=st.tuples(st.floats(1e3, 1e9), st.floats(1e3, 1e9)), **LOSSY)
def test_it_comes_down_from_the_rate_to_the_mean_and_stays_there(
    sizes: tuple[float, float], rate: float, rtt_s: float, loss: float
) -> None:
    made, (less, more) = lossy(rate, rtt_s, loss), sorted(sizes)
    mean = min(rate, math.sqrt(1.5 / loss) * SEGMENT / rtt_s)
    assert rate * 1.001 >= made.rate_after(less) >= made.rate_after(more) >= mean * 0.999
    assert made.rate_after(1e15) == pytest.approx(mean)
    assert 1e9 / made.seconds(1e9, after=1e15) == pytest.approx(mean, rel=1e-2)


@given(size=st.floats(1e5, 1e9), count=st.integers(1, 16), **LOSSY)
def test_streams_lose_apart_and_more_of_them_are_hardly_slower(
    size: float, count: int, rate: float, rtt_s: float, loss: float
) -> None:
    """By half a round trip, which more of them need less of doubling for."""
    more, fewer = (lossy(rate, rtt_s, loss, each).seconds(size) for each in (count + 1, count))
    assert more <= fewer * 1.01 + rtt_s / 2


def packets(size: float, rate: float, rtt_s: float, loss: float, random: Random) -> float:
    """Seconds of one stream: CUBIC as its RFC has it, a round trip at a time, each segment lost or not by chance."""
    full, window, left, seconds = rate * rtt_s / SEGMENT, 10.0, size / SEGMENT, 0.0
    most, since, slow, lost = 0.0, 0.0, True, False
    while left > 0:
        took = max(rtt_s, window * SEGMENT / rate)
        if left < window:
            return seconds + took * left / window
        left, seconds, since, was = left - window, seconds + took, since + took, lost
        lost = random.random() > (1 - loss) ** window
        if was:
            most, window, since, slow = window, window * 0.7, 0.0, False
        elif slow:
            window, slow, most = min(2 * window, 1.2 * full), 2 * window < 1.2 * full, full
        else:
            reno = most * 0.7 + 0.53 * since / rtt_s
            window = min(max(0.4 * (since - (most * 0.75) ** (1 / 3)) ** 3 + most, reno), 2 * full)
    return seconds


@pytest.mark.parametrize(
    ("size", "rtt_s", "loss"),
    [(8e6, 0.1, 1e-3), (32e6, 0.1, 1e-3), (32e6, 0.01, 1e-3), (4e6, 0.1, 1e-2), (32e6, 0.1, 1e-2), (1e6, 0.02, 1e-2)],
)
def test_it_is_within_what_streams_of_packets_take(size: float, rtt_s: float, loss: float) -> None:
    """Nine of ten of them, at 100 Mbit/s; the mean alone is not, where few bytes go. Drawn it has as much luck."""
    random, link = Random(1), LinkPlan(goodput=1e8, delay_s=rtt_s / 2, loss=loss)
    seen = sorted(packets(size, 1e8 / 8, rtt_s, loss, random) for _ in range(200))
    made = streams(over(delay_s=rtt_s / 2, loss=loss), link_goodput(link), rtt_s)
    assert seen[10] <= made.seconds(size) <= seen[190] and made.seconds(size) == pytest.approx(seen[100], rel=0.35)
    assert made.loss
    chance = np.random.default_rng(1)
    luck = sorted(replace(made, loss=made.loss.drawn(chance)).seconds(size) for _ in range(200))
    assert luck[10] <= seen[100] <= luck[190]


def test_eight_megabytes_are_over_before_the_window_has_come_down() -> None:
    """As a real migration was, at 100 Mbit/s, 50 ms and one frame of a thousand lost: 1.9 s, where the mean says 15."""
    mean = link_goodput(LinkPlan(goodput=1e8, delay_s=0.05, loss=0.001))
    assert streams(over(delay_s=0.05, loss=0.001), mean, 0.1).seconds(8e6) == pytest.approx(1.9, rel=0.1)
    assert 8e6 / mean > 14


def over(streams: int = 1, delay_s: float = 0.0, loss: float = 0.0) -> Plan:
    """A migration over a link of 100 Mbit/s."""
    asked = plan(1, IDLE)
    vmotion = replace(asked.network.vmotion, rate=None, goodput=1e8, delay_s=delay_s, loss=loss)
    return replace(
        asked, network=replace(asked.network, vmotion=vmotion), migration=replace(asked.migration, streams=streams)
    )


def test_each_stream_begins_with_ten_segments() -> None:
    segment = over().network.vmotion.mtu - TCP_IP_BYTES
    assert [streams(over(streams=count), 1e7, 0.01).first for count in (1, 4)] == [10 * segment, 40 * segment]


@pytest.mark.parametrize(("delay_s", "loss"), [(0, 0), (0.05, 0), (0, 0.01)])
def test_without_loss_or_without_delay_it_stays_at_what_the_link_has(delay_s: float, loss: float) -> None:
    made = streams(over(delay_s=delay_s, loss=loss), 1.1e7, 2 * delay_s)
    assert made.rate_after(1e12) == made.rate == 1.1e7
