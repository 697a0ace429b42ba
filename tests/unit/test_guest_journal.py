"""The journal: what was written is read once, in order; what was overwritten is counted."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guest_agent import journal, ring
from guest_agent.journal import JournalReader, JournalWriter


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(journal, "CAPACITY", 64)
    yield


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 150), max_size=8))
def test_every_record_is_read_once_or_counted_as_lost(bursts: list[int]) -> None:
    writer = JournalWriter()
    reader, written, seen = JournalReader(writer.fd), 0, 0
    for burst in bursts:
        for _ in range(burst):
            written += 1
            writer.record(1000 + written, written)
        records = reader.read()
        seen += len(records)
        assert records[:, 1].tolist() == list(range(written - len(records) + 1, written + 1))
        assert bool((records[:, 0] == records[:, 1] + 1000).all())
    assert seen + reader.lost == written
    assert reader.lost == 0 or max(bursts) > 64 - ring._MARGIN
    os.close(writer.fd)


def test_a_reader_outlives_the_descriptor_and_the_writer() -> None:
    writer = JournalWriter()
    writer.record(5, 6)
    reader = JournalReader(writer.fd)
    os.close(writer.fd)
    del writer
    assert reader.read().tolist() == [[5, 6]] and reader.read().shape == (0, 2)
