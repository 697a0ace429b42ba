"""When memory differs it is said which pages: from the proof to the record, the sentence, the file and the page."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from guest_agent.config import GuestConfig
from guest_agent.memory.fingerprint import expected
from testbed.core.records.migration import MemoryRecord, Outcome
from testbed.core.units import PAGE_SIZE
from testbed.engines.native.proof import prove_memory
from testbed.findings.ended import Ended
from testbed.findings.record import judged
from testbed.linux.memory import memfd
from testbed.report.page.page import write
from testbed.report.words.summary import proof
from testbed.runfiles import summary_reader
from tests.unit.evidence import the_evidence
from tests.unit.records import a_migration, a_summary
from tests.unit.replaying import replay
from tests.unit.runs import made

PAGES = 64
SETTINGS: dict[str, Any] = {"ram_bytes": PAGES * PAGE_SIZE, "seed": 3}
CONFIG = GuestConfig(**SETTINGS)


Rams = tuple[int, int]


@pytest.fixture
def rams() -> Iterator[Rams]:
    """Of the source and of the destination, both after the same hundred operations."""
    source, destination = (memfd.create("ram", CONFIG.ram_bytes) for _ in range(2))
    for fd in (source, destination):
        os.pwrite(fd, replay(CONFIG, 100).data.cast("B"), 0)
    yield source, destination
    for fd in (source, destination):
        os.close(fd)


def proved(rams: Rams, *spoiled: int, outcome: Outcome = "completed") -> MemoryRecord:
    for page in spoiled:
        os.pwrite(rams[1], b"not what was there", page * PAGE_SIZE + 100)
    return prove_memory(rams, CONFIG, Ended(outcome=outcome), [])


def sentences(memory: MemoryRecord) -> list[str]:
    """Why a migration with this memory may not be believed."""
    return judged(the_evidence(memory=memory)).invalid_reasons


def test_memory_that_is_proved_says_whose_it_is_and_one_that_differs_does_not(rams: Rams) -> None:
    whose = expected(CONFIG, 100)
    for found in (proved(rams), proved(rams, outcome="aborted")):
        assert found.fingerprint and (found.fingerprint.operations, found.fingerprint.digest) == (100, whose.digest)
    assert proved(rams, 5).fingerprint is None


def test_equal_memory_names_no_page(rams: Rams) -> None:
    found = proved(rams)
    assert found.match and (found.pages_mismatched, found.mismatches, found.difference) == (0, [], None)
    assert sentences(found) == []
    assert "different" not in proof(found)


def test_pages_that_differ_are_named(rams: Rams) -> None:
    found = proved(rams, 9, 5)
    assert found.match is False and (found.pages_mismatched, found.mismatches) == (2, [5, 9])
    assert sentences(found) == ["the destination's memory differs from the source's in 2 pages: 5, 9"]
    assert proof(found).startswith("DIFFERENT: ") and proof(found).endswith("; different in 2 pages: 5, 9")


def test_the_first_ten_are_named_and_the_others_counted(rams: Rams) -> None:
    found = proved(rams, *range(20, 40))
    assert found.mismatches == list(range(20, 30)) and found.pages_mismatched == 20
    assert found.difference == "20 pages: 20, 21, 22, 23, 24, 25, 26, 27, 28, 29 and 10 more"


def test_one_page_is_one_page(rams: Rams) -> None:
    assert proved(rams, 7).difference == "1 page: 7"


def test_a_migration_that_did_not_complete_has_nothing_to_compare(rams: Rams) -> None:
    found = proved(rams, 7, outcome="aborted")
    assert found.match is None and found.difference is None


def test_a_record_of_before_names_none_and_is_read() -> None:
    before = MemoryRecord(match=False, method="m", pages_compared=3)
    assert sentences(before) == ["the destination's memory differs from the source's"]


def test_it_is_in_the_file_and_on_the_page(rams: Rams, tmp_path: Path) -> None:
    found = proved(rams, 9, 5)
    spoiled = a_migration(memory=found, valid=False, invalid_reasons=sentences(found))
    folder = made(tmp_path / "run", a_summary(spoiled))
    (read,) = summary_reader.read(folder).migrations
    assert read.memory == found
    page = write(folder)
    assert page is not None and "2 pages: 5, 9" in page.read_text(encoding="utf-8")
