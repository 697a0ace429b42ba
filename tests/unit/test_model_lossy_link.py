"""What a link with loss carries by the model, and whether a count of frames may come from a loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.plan import LinkPlan
from testbed.model.link import link_goodput
from testbed.network.traffic.loss import Counted

SHAPED = 100e6


def goodput(delay_s: float, loss: float, congestion: str = "cubic") -> float:
    """Mbit/s at 100 Mbit/s."""
    return link_goodput(LinkPlan(rate=SHAPED, delay_s=delay_s, loss=loss, congestion=congestion)) * 8 / 1e6


@pytest.mark.parametrize(
    ("delay_s", "loss", "expected"),
    [
        (0.005, 0.0, 95.64),  # the rate, less headers
        (0.0, 0.01, 94.69),  # no round trip to wait for: what was lost is sent again
        (0.005, 0.001, 44.86),  # Reno's window is the larger
        (0.005, 0.01, 14.19),
        (0.05, 0.001, 4.49),
        (0.05, 0.01, 1.42),
        (0.05, 0.00001, 95.64),  # CUBIC's window is the larger, and more than the link carries
        (0.2, 0.0001, 15.35),  # and here is it alone
    ],
)
def test_loss_leaves_what_tcps_window_carries(delay_s: float, loss: float, expected: float) -> None:
    assert goodput(delay_s, loss) == pytest.approx(expected, rel=0.001)


@given(delay_s=st.floats(0, 1), loss=st.floats(0, 0.5), more=st.floats(1, 2))
def test_more_loss_or_delay_never_carries_more(delay_s: float, loss: float, more: float) -> None:
    least = 1 + 1e-9
    assert goodput(delay_s, min(0.9, loss * more)) <= goodput(delay_s, loss) * least
    if loss and delay_s:
        assert goodput(delay_s * more, loss) <= goodput(delay_s, loss) * least
    assert goodput(delay_s, loss, "bbr") >= goodput(delay_s, loss) / least, "it takes no loss for congestion"


@pytest.mark.parametrize(
    ("sent", "lost", "loss", "agrees"),
    [
        (50_000, 50, 0.001, True),
        (50_000, 78, 0.001, True),  # four standard deviations
        (50_000, 80, 0.001, False),
        (1_000_000, 1100, 0.001, True),
        (1_000_000, 1200, 0.001, False),
        (50_000, 0, 0.001, False),
        (50_000, 0, 0.0, True),
        (0, 0, 0.01, False),  # nothing was counted
    ],
)
def test_a_count_agrees_with_a_loss_to_a_tenth_or_as_chance_has_it(
    sent: int, lost: int, loss: float, agrees: bool
) -> None:
    assert Counted(sent=sent, arrived=sent - lost).agrees(loss) is agrees
