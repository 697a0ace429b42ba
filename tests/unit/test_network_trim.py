"""Trimming a rate against its own proof: links that are off, and proofs that are."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.network.trim import MOST_PROOFS, MOST_TRIM, PROVEN, Trimmed, trimmed


class Link:
    """Gives ``gives`` times what it is told, and each proof of it is disturbed by the next of ``noise``."""

    def __init__(self, gives: float, noise: Iterable[float] = ()) -> None:
        self.gives, self.noise = gives, iter(noise)
        self.told: list[float] = []

    def prove(self, factor: float) -> float:
        self.told.append(factor)
        return factor * self.gives * (1 + next(self.noise, 0.0))


def test_a_link_that_gives_what_was_asked_takes_one_proof_and_is_left_alone() -> None:
    link = Link(1.0)
    assert trimmed(link.prove) == Trimmed(factor=1.0, share=1.0, proofs=1)


@given(off=st.floats(-0.019, 0.019))
def test_a_link_that_is_off_is_trimmed_both_ways(off: float) -> None:
    link = Link(1 + off)
    got = trimmed(link.prove)
    assert abs(got.share - 1) <= PROVEN
    assert got.factor == link.told[-1], "what is proved is what the link is left at"
    assert got.proofs == (1 if abs((1 + off) - 1) <= PROVEN else 3), "as it rounds"


def test_a_proof_that_was_disturbed_is_made_again_and_nothing_is_trimmed() -> None:
    link = Link(1.0, [-0.015, 0.006])
    assert trimmed(link.prove) == Trimmed(factor=1.0, share=1.0, proofs=3)
    assert link.told == [1.0, 1.0, 1.0]


def test_a_link_that_is_off_is_trimmed_by_what_two_proofs_say_not_by_the_disturbed_one() -> None:
    link = Link(0.994, [-0.015, 0.0, 0.0005])
    got = trimmed(link.prove)
    assert got.factor == pytest.approx(1 / 0.994, abs=0.0006) and got.proofs == 4


def test_a_trim_that_does_not_help_is_taken_back() -> None:
    """The processor sets the pace, whatever the link is told: the rate asked for stands, and its own proof."""
    told: list[float] = []

    def prove(factor: float) -> float:
        told.append(factor)
        return 0.99

    got = trimmed(prove)
    assert (got.factor, got.share) == (1.0, 0.99)
    assert len(told) <= MOST_PROOFS


@pytest.mark.parametrize("gives", [0.0, 0.5, 0.9, 1.1, 3.0])
def test_a_link_that_is_far_off_is_not_trimmed_but_said_to_be(gives: float) -> None:
    link = Link(gives)
    assert trimmed(link.prove) == Trimmed(factor=1.0, share=gives, proofs=2)
    assert set(link.told) == {1.0}


@given(gives=st.floats(0.5, 1.5), noise=st.lists(st.floats(-0.5, 0.5), max_size=20))
def test_it_ends_and_never_trims_far(gives: float, noise: list[float]) -> None:
    link = Link(gives, noise)
    got = trimmed(link.prove)
    assert len(link.told) == got.proofs <= MOST_PROOFS
    assert abs(got.factor - 1) <= MOST_TRIM
    assert got.factor == 1.0 or abs(got.share - 1) <= PROVEN
