"""What is measured beside a migration that takes longer than a guest's own log has room for."""

from pathlib import Path
from threading import Condition

import numpy as np
import pytest

from guest_agent import journal
from guest_agent.journal import JournalReader, JournalWriter
from testbed.findings.ended import SOURCE
from testbed.findings.guest_log import Counts, Times
from testbed.rig.fake_mover import UNHURT, FakeGuest
from testbed.rig.measuring import Measurement
from tests.unit.fake_hosts import FakeHosts, a_context, a_plan

ROOM = 64
"""Of its ring, instead of what one of a quarter of a million has."""


class Logging(FakeGuest):
    """One with a real journal: so many records ``written``, so many ``taken`` out of it so far."""

    def __init__(self) -> None:
        super().__init__("source", 1000.0, UNHURT)
        self.writer = JournalWriter()
        self.reader = JournalReader(self.writer.fd)
        self.written = self.taken = 0
        self.looked = Condition()

    def work(self, operations: int) -> None:
        """One a second."""
        for _ in range(operations):
            self.written += 1
            self.writer.record(self.written * 10**9, self.written)

    def wait_until_all_was_taken(self) -> None:
        with self.looked:
            assert self.looked.wait_for(lambda: self.taken == self.written, 60)

    def log(self) -> tuple[Times, Counts]:
        records = self.reader.read()
        with self.looked:
            self.taken += len(records)
            self.looked.notify_all()
        return records[:, 0] / 1e9, records[:, 1].astype(np.int64)


def test_a_guests_log_is_whole_after_a_migration_that_is_longer_than_its_ring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After four and a half minutes none of them was valid: their write rate before was no longer in the log."""
    monkeypatch.setattr(journal, "CAPACITY", ROOM)
    guest, context = Logging(), a_context(tmp_path, sample_s=0.001)
    with Measurement(a_plan(), context, FakeHosts(), {}, {SOURCE: guest}) as measurement:
        for _ in range(4):
            guest.work(ROOM // 2)
            guest.wait_until_all_was_taken()
        guest.work(1)
        measurement.stop()
        log = measurement.guest_log()
    assert log.operations.tolist() == list(range(1, guest.written + 1)) and guest.reader.lost == 0
    assert log.rate(1.0, 3.0) == 1.0
