"""Early looks in virtual time: a round ends at the first of them that finds little enough left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.rounds import EarlyLook, RoundKind
from testbed.core.units import PAGE_SIZE
from testbed.model.guest import FluidGuest
from testbed.model.source import Costs, FluidSource
from testbed.model.streams import Streams

RAM = 1000 * PAGE_SIZE
RATE = 100 * PAGE_SIZE
"""Bytes per second of the link: ten seconds for all of memory."""
IDLE = {"name": "idle", "working_set": None}


def source(costs: Costs | None = None, rtt_s: float = 0.0) -> FluidSource:
    guest = FluidGuest(IDLE, RAM)
    streams = Streams(rate=RATE, rtt_s=rtt_s)
    return FluidSource(guest, ram_bytes=RAM, streams=streams, costs=costs or Costs(), timeout_s=1e9)


@pytest.mark.parametrize(
    ("within", "every", "sent"),
    [(3.0, 1.0, 800), (3.5, 1.0, 700), (2.9, 0.5, 750), (3.0, 20.0, 1000), (50.0, 1.0, 100), (0.0, 1.0, 1000)],
)
def test_it_ends_at_the_first_look_that_finds_less_left(within: float, every: float, sent: int) -> None:
    """Exactly as much as the limit is not less: then it is looked at once more."""
    made = source().copy_round(1, RoundKind.PRECOPY, EarlyLook(within=within, every=every))
    assert made.sent_bytes == sent * PAGE_SIZE and made.unsent_bytes == RAM - made.sent_bytes
    assert made.duration_s == pytest.approx(sent / 100)
    assert made.newly_dirtied_bytes == PAGE_SIZE, "the guest's own"


@given(st.floats(0.01, 20), st.floats(0.01, 20))
def test_every_byte_is_sent_in_one_round_or_the_next(within: float, every: float) -> None:
    moving, pending = source(), RAM
    look = EarlyLook(within=within, every=every)
    for index in range(1, 6):
        made = moving.copy_round(index, RoundKind.PRECOPY, look)
        assert made.sent_bytes + made.unsent_bytes == pending
        pending = made.dirtied_bytes
    last = moving.copy_round(6, RoundKind.STOP_AND_COPY)
    assert (last.sent_bytes, last.dirtied_bytes, last.unsent_bytes) == (pending, 0, 0)


def test_what_a_switchover_costs_is_known_to_every_round_and_is_what_it_takes() -> None:
    """Beside its bytes, that is: here there are none."""
    costs = Costs(round_s=0.1, pause_s=0.2, last_scan_s=0.3, prepare_s=0.4, commit_s=0.5, resume_s=0.6)
    moving = source(costs, rtt_s=1.0)
    moving._pending = 0
    known = moving.copy_round(1, RoundKind.PRECOPY).switchover_s
    moving._pending = 0
    moving.stun_guest()
    moving.copy_round(2, RoundKind.STOP_AND_COPY)
    moving.prepare()
    moving.commit()
    assert known == pytest.approx(sum(moving.phases.values())) == pytest.approx(2.1 + 2.5)
