"""``operations/`` and ``pages.jsonl``: what is written is what is read, and what cannot be written spoils nothing."""

import json
import resource
import signal
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from testbed.core.agents.told import RoundCells
from testbed.core.errors import ScenarioError
from testbed.core.migration_key import MigrationKey
from testbed.runfiles import operations, pages
from testbed.runfiles.operations import Rows, file_of, read, write
from tests.unit.evidence import log_of

KEY = MigrationKey(name="vm.ram=1GiB a/b", repeat=2)
NUMBERS = st.lists(st.tuples(*[st.integers(0, 2**64 - 1)] * 4), max_size=20)
CELLS = [
    RoundCells(round=1, pages=9, cell_pages=4, sent=(4, 4, 1), dirtied=(0, 2, 1)),
    RoundCells(round=2, pages=9, cell_pages=4, sent=(0, 2, 1), dirtied=(0, 0, 0)),
]


def as_rows(numbers: list[tuple[int, ...]]) -> Rows:
    return np.array(numbers, np.uint64).reshape(-1, 4)


@contextmanager
def no_room_beyond(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes."""
    before, action = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, action)


@given(source=NUMBERS, destination=NUMBERS, client=st.none() | NUMBERS)
def test_operations_are_read_as_they_were_written(source: Any, destination: Any, client: Any) -> None:
    logs, rows = [as_rows(source), as_rows(destination)], None if client is None else as_rows(client)
    with TemporaryDirectory() as folder:
        file = file_of(Path(folder) / "operations", KEY, "echo")
        write(file, logs, rows)
        found = read(file)
    assert list(found) == ["source", "destination"] + ([] if rows is None else ["client"])
    kept = [*logs, *([] if rows is None else [rows])]
    assert all(np.array_equal(found[name], each) for name, each in zip(found, kept, strict=True))


def test_a_file_is_named_after_its_migration_and_service(tmp_path: Path) -> None:
    assert file_of(tmp_path, KEY, "echo") == tmp_path / "vm.ram_1GiB_a_b-2-echo.npz"


def test_a_service_that_ran_at_one_host_has_the_log_of_one(tmp_path: Path) -> None:
    write(tmp_path / "one.npz", [log_of([(1, 2)])], None)
    assert list(read(tmp_path / "one.npz")) == ["source"]


def test_what_there_is_no_room_for_is_not_there_in_part(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).integers(0, 2**63, (1000, 4)).astype(np.uint64)
    with no_room_beyond(100), pytest.raises(OSError, match="File too large"):
        write(tmp_path / "full.npz", [rows], None)
    assert list(tmp_path.iterdir()) == []


def packed(file: Path, **arrays: npt.NDArray[Any]) -> Path:
    np.savez(file, allow_pickle=True, **arrays)
    return file


@pytest.mark.parametrize(
    ("name", "rows", "said"),
    [
        ("source", np.zeros((3, 3), np.uint64), "have another form"),
        ("source", np.zeros(3, np.uint64), "have another form"),
        ("client", np.zeros((3, 4), np.float64), "have another form"),
        ("nobody", np.zeros((3, 4), np.uint64), "nobody logs as 'nobody'"),
        ("source", np.array([{"an": "object"}]), "holds no operations"),
    ],
)
def test_what_is_no_log_is_said(tmp_path: Path, name: str, rows: npt.NDArray[Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        read(packed(tmp_path / "bad.npz", **{name: rows}))


@given(spoiled=st.binary(max_size=200), at=st.integers(0, 400))
@example(spoiled=b"\x9c", at=227)
def test_a_damaged_file_is_said_and_nothing_else_happens(spoiled: bytes, at: int) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "damaged.npz"
        write(file, [log_of([(1, 2), (3, 4)])], None)
        content = file.read_bytes()
        file.write_bytes(content[:at] + spoiled + content[at + len(spoiled) :])
        try:
            assert set(read(file)) <= {"source", "destination", "client"}
        except ScenarioError as error:
            assert "holds no operations" in str(error)


def test_a_file_that_would_fill_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MOST_ROWS_BYTES", 10_000)
    write(tmp_path / "zeros.npz", [np.zeros((1000, 4), np.uint64)], None)
    assert (tmp_path / "zeros.npz").stat().st_size < 1000
    with pytest.raises(ScenarioError, match="0 MB of rows"):
        read(tmp_path / "zeros.npz")


def test_a_packed_file_that_holds_no_arrays_is_said(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "text.npz", "w") as file:
        file.writestr("source.npy", "not an array")
    with pytest.raises(ScenarioError, match="holds no operations"):
        read(tmp_path / "text.npz")


def test_cells_are_lines_that_say_whose_they_are(tmp_path: Path) -> None:
    pages.append(tmp_path / "pages.jsonl", KEY, CELLS)
    first, second = (json.loads(line) for line in (tmp_path / "pages.jsonl").read_text().splitlines())
    assert list(first) == ["migration", "repeat", "guest", "round", "pages", "cell_pages", "sent", "dirtied"]
    assert (first["migration"], first["repeat"], first["guest"]) == (KEY.name, 2, "vm")
    assert (first["sent"], second["dirtied"]) == ([4, 4, 1], [0, 0, 0])
    assert pages.read(tmp_path / "pages.jsonl")[KEY].sent.tolist() == [[4, 4, 1], [0, 2, 1]]


def test_migrations_follow_one_another(tmp_path: Path) -> None:
    other = MigrationKey(name="other", guest="db")
    for key in (KEY, other):
        pages.append(tmp_path / "pages.jsonl", key, CELLS)
    assert set(pages.read(tmp_path / "pages.jsonl")) == {KEY, other}


@pytest.mark.parametrize("room", [1, 100, 200])
def test_a_line_that_there_is_no_room_for_spoils_none_before_it(tmp_path: Path, room: int) -> None:
    file = tmp_path / "pages.jsonl"
    pages.append(file, KEY, CELLS[:1])
    before = file.read_bytes()
    with no_room_beyond(len(before) + room), pytest.raises(OSError, match="File too large"):
        pages.append(file, MigrationKey(name="other"), CELLS)
    assert file.read_bytes() == before


def test_a_migration_without_rounds_leaves_no_line(tmp_path: Path) -> None:
    pages.append(tmp_path / "pages.jsonl", KEY, [])
    assert pages.read(tmp_path / "pages.jsonl") == {}
