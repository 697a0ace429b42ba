"""A capped stream: TCP is told, and batches are small, so that no stream is left with what others could take."""

import socket
import struct

import pytest

from testbed.core.units import PAGE_SIZE
from testbed.migration.streams.sending import LONG_RUN, batch_bytes
from testbed.migration.streams.sockets import NOTSENT_MIN, SO_MAX_PACING_RATE, pace
from testbed.wire.messages import MAX_PAGES_BYTES


def told(cap: float | None) -> tuple[int, int]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        pace(sock, cap)
        (rate,) = struct.unpack("@L", sock.getsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, 8))
        return rate, sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)


def test_the_kernel_is_told_the_cap_and_to_take_little() -> None:
    assert told(50e6) == (50_000_000, 100_000)
    assert told(1.7e9)[0] == 1_700_000_000
    assert told(1.0)[1] == NOTSENT_MIN


def test_without_a_cap_nothing_is_told() -> None:
    unlimited = 2 ** (8 * struct.calcsize("@L")) - 1
    assert told(None) == (unlimited, 0)


@pytest.mark.parametrize("cap", [1.0, 1e6, 47e6, 1e9, 1e12])
def test_a_batch_is_whole_pages_and_fits_a_message(cap: float) -> None:
    size = batch_bytes(cap)
    assert size % PAGE_SIZE == 0 and LONG_RUN <= size <= MAX_PAGES_BYTES
    assert size <= max(LONG_RUN, cap * 0.005)
