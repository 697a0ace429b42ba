"""The pacer: mean rate exact, late work made up for, old debt forgiven and counted, phases changed on the spot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guest_agent.memory.pacing import Pacer


def steady(rate: float) -> Pacer:
    pacer = Pacer(lambda _: (rate, None), batch_s=0.001)
    pacer.start(100.0, 0)
    return pacer


def live(pacer: Pacer, until: float, now: float = 100.0, operation: int = 0, jitter: float = 0.0) -> tuple[float, int]:
    """A guest whose batches take no time and whose sleeps end ``jitter`` late."""
    while now < until:
        operation += pacer.due(now, operation)
        wait = pacer.wait(now, operation)
        assert wait >= 0
        now += max(wait, 1e-6) + jitter
    return now, operation


@given(rate=st.floats(5, 900_000), jitter=st.sampled_from([0.0, 1e-5, 3e-4, 0.005]))
def test_the_rate_is_held_however_late_the_sleeps_end(rate: float, jitter: float) -> None:
    pacer = steady(rate)
    pacer.most = 1 << 20
    now, operations = live(pacer, 101.0, jitter=jitter)
    assert operations == pytest.approx(1 + rate * (now - 100.0), abs=2 + rate * (0.002 + 2 * jitter))
    assert pacer.shortfall == 0


def test_batches_come_about_every_millisecond() -> None:
    pacer, batches, now, operation = steady(100_000), 0, 100.0, 0
    while now < 100.1:
        count = pacer.due(now, operation)
        batches, operation = batches + bool(count), operation + count
        now += max(pacer.wait(now, operation), 1e-6)
    assert 95 <= batches <= 102


def test_the_first_operation_is_due_at_once() -> None:
    assert steady(1.0).due(100.0, 0) == 1


def test_a_short_debt_is_made_up_for() -> None:
    pacer = steady(10_000)
    assert sum(pacer.due(100.09 + n * 0.001, sum_before) for n, sum_before in [(0, 0)]) == 901


def test_an_old_debt_is_forgiven_and_counted() -> None:
    pacer = steady(10_000)
    assert pacer.due(110.0, 0) == 1
    assert pacer.shortfall == pytest.approx(100_000)
    assert pacer.due(110.001, 1) == 10


def test_no_batch_is_larger_than_the_largest() -> None:
    assert steady(10e6).due(100.05, 0) == 1024


def test_a_rate_that_cannot_be_reached_shows_as_shortfall() -> None:
    pacer, operation = steady(10e6), 0
    for millisecond in range(1000):
        operation += pacer.due(100 + millisecond / 1000, operation)
    assert operation + pacer.shortfall == pytest.approx(10e6, rel=0.11)


def test_a_phase_ends_at_its_operation_and_the_next_begins_when_that_was_due() -> None:
    pacer = Pacer(lambda n: (1000.0, 100) if n < 100 else (10.0, None), batch_s=0.001)
    pacer.start(0.0, 0)
    _, operations = live(pacer, 1.0999, now=0.0, jitter=0.0003)
    assert operations == pytest.approx(110, abs=1)


def test_after_a_resume_elsewhere_nothing_is_owed() -> None:
    pacer = steady(1000)
    pacer.start(500.0, 12_345)
    assert pacer.due(500.0, 12_345) == 1 and pacer.shortfall == 0
