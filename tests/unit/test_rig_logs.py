"""A log followed while it is written: totals and worst latencies on the way, every row at the end."""

import numpy as np

from guest_agent.ring import RingReader, RingWriter
from testbed.rig.logs import LogFollower


def test_samples_count_on_and_rows_are_kept() -> None:
    ring = RingWriter()
    follower = LogFollower(ring.fd, "service", name="echo", host="client")
    assert follower.sample() == []
    ring.append(1_000, 3_000, 0, 0)
    ring.append(2_000, 9_000, 1, 0)
    (row,) = follower.sample()
    assert row == {"kind": "service", "name": "echo", "host": "client", "operations": 2, "latency_s": 7e-6}
    ring.append(5_000, 6_000, 2, 7)
    assert follower.rows().tolist() == [[1_000, 3_000, 0, 0], [2_000, 9_000, 1, 0], [5_000, 6_000, 2, 7]]
    assert follower.lost == 0


def test_an_end_before_its_beginning_is_no_latency_at_all() -> None:
    """A wall clock that was set back while a probe was under way."""
    ring = RingWriter()
    follower = LogFollower(ring.fd, "client")
    ring.append(9_000, 3_000, 0, 0)
    assert follower.sample()[0]["latency_s"] == 0.0
    ring.append(9_000, 3_000, 1, 0)
    ring.append(9_000, 10_000, 2, 0)
    assert follower.sample()[0]["latency_s"] == 1e-6


def test_an_empty_log_has_the_shape_of_a_log() -> None:
    assert LogFollower(RingWriter().fd, "client").rows().shape == (0, 4)


def test_a_reader_that_is_too_slow_says_how_much_it_lost() -> None:
    ring = RingWriter(columns=2, capacity=64)
    reader = RingReader(ring.fd, columns=2, capacity=64)
    for number in range(200):
        ring.append(number, number)
    rows = reader.read()
    assert len(rows) + reader.lost == 200
    assert rows[-1].tolist() == [199, 199]
    assert np.all(np.diff(rows[:, 0].astype(np.int64)) == 1)


def test_a_second_writer_goes_on_where_the_first_one_was() -> None:
    first = RingWriter(columns=2, capacity=64)
    first.append(1, 1)
    RingWriter(columns=2, capacity=64, fd=first.fd).append(2, 2)
    assert RingReader(first.fd, columns=2, capacity=64).read().tolist() == [[1, 1], [2, 2]]


def test_silence_is_what_lies_between_two_completions_of_any_two_looks() -> None:
    ring = RingWriter()
    follower = LogFollower(ring.fd, "client")
    assert follower.take_silence_s() is None
    for start, end in ((1, 2), (2, 4), (3, 5)):
        ring.append(start * 10**9, end * 10**9, 0, 0)
    follower.sample()
    assert follower.take_silence_s() == 2.0 and follower.take_silence_s() is None
    ring.append(5 * 10**9, 12 * 10**9, 0, 0)
    follower.sample()
    assert follower.take_silence_s() == 7.0, "since the last one of the look before"
