"""Rates, buckets and refusals: arithmetic, no link."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.errors import ScenarioError
from testbed.core.plan import LinkPlan
from testbed.network.calibrate import _rounded_down
from testbed.network.links import _discipline, bucket, check, expected_goodput, qdisc_rate, segment

RATES = st.floats(1e7, 1e11)
MTUS = st.integers(1500, 9000)


def test_a_rate_implies_a_goodput_less_the_headers() -> None:
    assert expected_goodput(LinkPlan(rate=1e9)) == pytest.approx(1e9 / 8 * 1448 / 1514)
    assert expected_goodput(LinkPlan(rate=1e9, mtu=9000)) == pytest.approx(1e9 / 8 * 8948 / 9014)


def test_an_unshaped_link_implies_nothing() -> None:
    assert expected_goodput(LinkPlan()) is None
    assert qdisc_rate(LinkPlan()) is None


def test_with_loss_the_rate_does_not_imply_the_goodput() -> None:
    assert expected_goodput(LinkPlan(rate=1e9, loss=0.01)) is None


@given(goodput=RATES, mtu=MTUS)
def test_a_goodput_that_is_asked_for_is_the_one_implied(goodput: float, mtu: int) -> None:
    assert expected_goodput(LinkPlan(goodput=goodput, mtu=mtu)) == pytest.approx(goodput / 8)


@given(rate=RATES, mtu=MTUS)
def test_a_bucket_holds_two_frames_and_a_segment_and_is_no_larger_than_needed(rate: float, mtu: int) -> None:
    made = bucket(rate, mtu)
    frame = mtu + 14
    assert made.burst >= 2 * frame
    frames_of_a_segment = -(-made.segment // (mtu - 52))
    assert made.burst >= made.segment + 66 * frames_of_a_segment
    assert made.burst <= max(rate / 8 * 1e-3, 3.2 * frame)
    assert made.burst - made.segment >= rate / 8 * 0.37e-3, "how late a timer may be"
    assert made.limit > made.burst
    assert made.segment <= 65536


@given(rate=RATES, mtu=MTUS)
def test_the_kernel_is_told_the_rate_to_within_a_byte_per_second(rate: float, mtu: int) -> None:
    assert abs(bucket(rate, mtu).rate - rate) <= 8


@pytest.mark.parametrize(
    ("plan", "word"),
    [
        (LinkPlan(rate=0), "rate"),
        (LinkPlan(goodput=0), "goodput"),
        (LinkPlan(rate=-1e9), "rate"),
        (LinkPlan(rate=float("inf")), "rate"),
        (LinkPlan(rate=float("nan")), "rate"),
        (LinkPlan(rate=1e9, goodput=1e9), "both"),
        (LinkPlan(mtu=1499), "1500"),
        (LinkPlan(mtu=9001), "9000"),
        (LinkPlan(loss=1.0), "loss"),
        (LinkPlan(loss=-0.1), "loss"),
        (LinkPlan(delay_s=-1e-3), "delay"),
        (LinkPlan(delay_s=float("nan")), "delay"),
    ],
)
def test_what_no_link_can_be_is_refused_in_a_line(plan: LinkPlan, word: str) -> None:
    with pytest.raises(ScenarioError, match=word) as caught:
        check(plan)
    assert "\n" not in str(caught.value)


def test_what_a_link_can_be_is_not_refused() -> None:
    for plan in (LinkPlan(), LinkPlan(rate=1e7), LinkPlan(goodput=1e10, mtu=9000), LinkPlan(delay_s=0.01, loss=0.1)):
        check(plan)


def test_the_root_is_a_bucket_or_nothing() -> None:
    assert _discipline(LinkPlan()) == [["root", "noqueue"]]
    ((*place, kind, _, rate, _, _, _, _, _, _, _, _),) = _discipline(LinkPlan(rate=1e9))
    assert (place, kind, rate) == (["root", "handle", "1:"], "tbf", "1000000000bit")


def _told(plan: LinkPlan, trim: float = 1.0, most: int = 0) -> dict[str, float]:
    """What TBF is told: rates in bit/s, sizes in bytes."""
    words = _discipline(plan, trim, most)[0][4:]
    pairs = zip(words[::2], words[1::2], strict=True)
    return {name: float(value.removesuffix("bit").removesuffix("b")) for name, value in pairs}


@given(rate=RATES, mtu=MTUS)
def test_what_a_late_timer_missed_is_made_up_for_at_half_a_per_cent_more_and_no_faster(rate: float, mtu: int) -> None:
    told, made = _told(LinkPlan(rate=rate, mtu=mtu)), bucket(rate, mtu)
    if "peakrate" not in told:
        assert told["burst"] == made.burst >= rate / 8 * 1.9e-3, "one bucket is deep enough by itself"
        return
    assert told["rate"] < told["peakrate"] <= told["rate"] * 1.005 + 8
    assert told["mtu"] == made.burst < told["burst"] <= max(2 * made.burst, rate / 8 * 2e-3 + 1)
    assert made.settle_bytes <= max(rate / 8 * 0.3, 5 * made.burst)


@given(before=st.none() | RATES, rate=RATES, mtu=MTUS)
def test_another_rate_lets_the_segments_through_that_wait_already(before: float | None, rate: float, mtu: int) -> None:
    most = segment(LinkPlan(rate=before, mtu=mtu))
    told = _told(LinkPlan(rate=rate, mtu=mtu), most=most)
    frames_of_a_segment = -(-most // (mtu - 52))
    assert told.get("mtu", told["burst"]) >= most + 66 * (frames_of_a_segment - 1)
    assert told["burst"] <= max(_told(LinkPlan(rate=rate, mtu=mtu))["burst"], 1.1 * most + rate / 8 * 2e-3)


@given(rate=RATES, trim=st.floats(0.98, 1.02))
def test_a_trimmed_rate_is_told_to_the_kernel_and_what_is_implied_stays(rate: float, trim: float) -> None:
    assert _told(LinkPlan(rate=rate), trim)["rate"] == pytest.approx(rate * trim, rel=1e-5)
    assert expected_goodput(LinkPlan(rate=rate)) == pytest.approx(rate / 8 * 1448 / 1514)


def test_delay_and_loss_are_netem_with_the_bucket_as_its_child() -> None:
    netem, tbf = _discipline(LinkPlan(rate=1e9, delay_s=0.005, loss=0.001))
    assert netem[:4] == ["root", "handle", "2:", "netem"]
    assert netem[6:] == ["delay", "5000us", "loss", "0.100000%"]
    assert int(netem[5]) > 1e9 / 8 * 0.005 / 1500
    assert tbf[:5] == ["parent", "2:1", "handle", "10:", "tbf"]


@given(rate=st.floats(1e6, 1e12))
def test_the_highest_rate_is_named_in_two_digits_and_rounded_down(rate: float) -> None:
    named = _rounded_down(rate)
    assert rate * 0.9 <= named <= rate
    assert len(str(int(named)).rstrip("0")) <= 2
