"""Bytes are counted thrice, and what may differ between two counts is known to the byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.network.frames import TCP_FRAME_BYTES
from testbed.core.records.migration import AccountingRecord
from testbed.findings.accounting import NO_CROSS, CrossCount, LinkCount, account

PAGES, FRAMING, CHANNEL = 100_000_000, 4000, 500
SOCKET = PAGES + FRAMING
ALLOWED = 500_020 + 262_144
"""Half a percent of what sockets carried, and a quarter of a MiB."""
CROSS = CrossCount(payload=40_000_000, slack=30_000)


def carried(payload: int, packets: int = 1000) -> LinkCount:
    """What a link counts of so many bytes of TCP payload."""
    return LinkCount(sent_bytes=payload + TCP_FRAME_BYTES * packets, sent_packets=packets)


def held(
    link: LinkCount | None, *, rounds: int = PAGES, retransmitted: int = 0, cross: CrossCount = NO_CROSS
) -> AccountingRecord:
    return account(
        rounds_bytes=rounds,
        page_bytes=PAGES,
        framing_bytes=FRAMING,
        channel_bytes=CHANNEL,
        link=link,
        retransmitted_bytes=retransmitted,
        cross=cross,
    )


def test_what_agrees_is_consistent_and_the_record_has_all_three() -> None:
    assert held(carried(SOCKET + CHANNEL)) == AccountingRecord(
        page_bytes=PAGES, socket_bytes=SOCKET, link_bytes=SOCKET + CHANNEL + 66_000, consistent=True
    )


def test_without_a_count_of_the_link_nothing_is_held_against_anything() -> None:
    assert held(None) == AccountingRecord(page_bytes=PAGES, socket_bytes=SOCKET, link_bytes=None, consistent=None)
    assert held(None, rounds=0).consistent is None


@pytest.mark.parametrize("more", [-1, 1])
def test_rounds_and_streams_agree_to_the_byte(more: int) -> None:
    assert held(carried(SOCKET + CHANNEL), rounds=PAGES + more).consistent is False


@pytest.mark.parametrize(
    ("unexplained", "retransmitted", "cross", "consistent"),
    [
        (ALLOWED, 0, NO_CROSS, True),
        (-ALLOWED, 0, NO_CROSS, True),
        (ALLOWED + 1, 0, NO_CROSS, False),
        (-ALLOWED - 1, 0, NO_CROSS, False),
        (ALLOWED + 5000, 5000, NO_CROSS, True),
        (ALLOWED + 5001, 5000, NO_CROSS, False),
        (CROSS.payload + ALLOWED + 200_000 + 30_000, 0, CROSS, True),
        (CROSS.payload + ALLOWED + 200_000 + 30_001, 0, CROSS, False),
        (0, 0, CROSS, False),
        (CROSS.payload, 0, NO_CROSS, False),
    ],
)
def test_what_may_be_unexplained(unexplained: int, retransmitted: int, cross: CrossCount, consistent: bool) -> None:
    link = carried(SOCKET + CHANNEL + unexplained)
    assert held(link, retransmitted=retransmitted, cross=cross).consistent is consistent


@given(packets=st.integers(0, 10**6), cross=st.integers(0, 10**9), retransmitted=st.integers(0, 10**6))
def test_headers_and_cross_traffic_are_not_the_migrations(packets: int, cross: int, retransmitted: int) -> None:
    link = carried(SOCKET + CHANNEL + cross + retransmitted, packets)
    assert held(link, retransmitted=retransmitted, cross=CrossCount(payload=cross, slack=0)).consistent


@given(st.integers(0, 2**40), st.integers(0, 2**30), st.integers(0, 2**40), st.integers(0, 2**30))
def test_between_two_counts_is_what_was_sent(before: int, earlier: int, more: int, later: int) -> None:
    first, second = carried(before, earlier), carried(before + more, earlier + later)
    assert second - first == carried(more, later)
    assert (second - first).payload == more
