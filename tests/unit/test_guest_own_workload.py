"""A workload of the user's own: a guest does it, and its memory is recomputed; its faults are told as its own."""

from pathlib import Path

import numpy as np
import pytest

from guest_agent.config import GuestConfig
from guest_agent.guest import Guest
from guest_agent.memory.hashing import NOWHERE, mix
from guest_agent.memory.program import Program
from guest_agent.workloads import build, pace
from testbed.core.errors import ScenarioError
from testbed.core.units import PAGE_SIZE
from testbed.scenario import load
from testbed.scenario.matrix.overrides import Setting

MINE = """\
from dataclasses import dataclass
import numpy as np
from testbed.core.units import ByteRate, Bytes

@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    working_set: Bytes | None = None
    write_rate: ByteRate = 20e6
    stride: int = 3

    def __post_init__(self):
        if self.stride < 1:
            raise ValueError("stride must be at least 1")

    def pages(self, operations, random, size):
        return operations * np.uint64(self.stride) % np.uint64(size)
"""
LAST = "return operations * np.uint64(self.stride) % np.uint64(size)"


def written(folder: Path, text: str) -> str:
    file = folder / "mine.py"
    file.write_text(text)
    return str(file)


def test_it_is_like_any_other(tmp_path: Path) -> None:
    name = written(tmp_path, MINE)
    mine = build({"name": name, "stride": 5, "write_rate": "8MB/s"})
    assert mine == build({"name": name, "stride": 5, "write_rate": 8e6}) and pace(mine, 0) == (8e6 / PAGE_SIZE, None)
    numbers = np.arange(4, dtype=np.uint64)
    assert mine.pages(numbers, mix(numbers), 7).tolist() == [0, 5, 3, 1]
    with pytest.raises(ScenarioError, match="stride must be at least 1"):
        build({"name": name, "stride": 0})
    with pytest.raises(ScenarioError, match="has no parameter 'strid'; did you mean 'stride'"):
        build({"name": name, "strid": 1})


def test_a_guest_does_it_and_its_memory_is_recomputed(tmp_path: Path) -> None:
    config = GuestConfig(ram_bytes=64 * PAGE_SIZE, workload={"name": written(tmp_path, MINE)}, seed=4)
    guest = Guest(config)
    guest.run()
    program, numbers = Program(config), np.arange(guest.operations, dtype=np.uint64)
    assert set(program.pages(numbers).tolist()) == {1}
    places, content = program.work_out(numbers)
    assert guest.ram.memory.reshape(-1).view(content.dtype)[places[-1]] == content[-1]


def test_units_and_scale_are_those_of_its_fields(tmp_path: Path) -> None:
    scenario = {"name": written(tmp_path, MINE), "write_rate": "80MB/s", "stride": 7}
    settings: list[Setting] = [("vm.workload", scenario), "scale.size=10"]
    [plan] = load("hello", overrides=settings).plans()
    assert plan.guest.workload == scenario | {"write_rate": 8e6, "working_set": None}
    again = tmp_path / "again.yaml"
    again.write_text(load("hello", overrides=settings).resolved_yaml())
    assert load(again).plans()[0].guest == plan.guest


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        (LAST, "return 1 / 0", ":16: the workload failed in 'pages': ZeroDivisionError"),
        (LAST, "raise SystemExit(2)", ":16: the workload failed in 'pages': SystemExit: 2"),
        (LAST, "return operations", ":15: the workload's 'pages' is to return pages from 0 to 0, not 1"),
        (LAST, "return operations % size * 1.0", ":15: the workload's 'pages' is to return an array of whole numbers"),
        (LAST, "return [0] * len(operations)", "one for each operation, not [0, 0, 0"),
        (LAST, "return operations[1:] % size", ":15: the workload's 'pages' is to return an array of whole numbers"),
        (LAST, "return operations % (size + 0 * operations[0])", ":16: the workload failed in 'pages': IndexError"),
        (LAST, "return None", "one for each operation, not None (NoneType)"),
        (LAST, "return -(operations % size).astype(int)", "is to return pages from 0 to 999, not "),
        (
            LAST,
            "return operations.astype(int) * 0 - 1",
            ":15: the workload's 'pages' is to return pages from 0 to 0, not -1",
        ),
        (LAST, "operations %= np.uint64(size); return operations", ":16: the workload failed in 'pages': ValueError: "),
        (
            LAST,
            "random[:] = 0; return operations % np.uint64(size)",
            ":16: the workload failed in 'pages': ValueError: ",
        ),
        (LAST, "return np.random.randint(0, size, len(operations))", ":15: 'pages' gives other pages when it is asked"),
        (LAST, "return np.arange(len(operations)) % size", ":15: 'pages' gives other pages when it is asked"),
        (LAST, "return np.cumsum(random) % np.uint64(size)", ":15: 'pages' gives other pages when it is asked"),
        (
            "write_rate: ByteRate = 20e6",
            "rate: int = 1",
            ":15: it needs a 'write_rate' above 0, bytes per second, not None",
        ),
        ("write_rate: ByteRate = 20e6", "write_rate: ByteRate = float('nan')", "bytes per second, not nan"),
        ("write_rate: ByteRate = 20e6", "write_rate: ByteRate = -1.0", "bytes per second, not -1.0"),
        ("write_rate: ByteRate = 20e6", "write_rate: ByteRate = 0", "a 'write_rate' above 0, bytes per second, not 0"),
        ("working_set: Bytes | None = None", "set: int = 1", ":15: it needs a 'working_set', bytes or None, not 0"),
        ("def pages", "def page", "expected one workload in it (a dataclass with a method 'pages'), found 0"),
        ("@dataclass(frozen=True, slots=True, kw_only=True)", "", "is no dataclass"),
    ],
)
def test_what_it_does_wrong_is_told_before_it_runs(tmp_path: Path, was: str, now: str, said: str) -> None:
    assert was in MINE
    with pytest.raises(ScenarioError) as raised:
        build(written(tmp_path, MINE.replace(was, now, 1)))
    assert said in str(raised.value) and str(tmp_path / "mine.py") in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("given", [{}, {"write_rate": 8e6}])
def test_one_without_a_post_init_of_its_own_is_tried_too(tmp_path: Path, given: dict[str, object]) -> None:
    plain = f"{MINE[: MINE.index('    def __post_init__')]}{MINE[MINE.index('    def pages') :]}"
    assert build({"name": written(tmp_path, plain), **given}) == build({"name": written(tmp_path, plain), **given})
    with pytest.raises(ScenarioError, match=r"mine.py:11: 'pages' gives other pages when it is asked again"):
        build(
            {"name": written(tmp_path, plain.replace(LAST, "return np.random.randint(0, size, len(random))")), **given}
        )


def test_what_shows_only_later_is_told_too(tmp_path: Path) -> None:
    name = written(
        tmp_path,
        MINE.replace(LAST, "return operations % np.uint64(size) + np.uint64(size) * (operations > np.uint64(5000))"),
    )
    mine, late = build(name), np.arange(5000, 5003, dtype=np.uint64)
    with pytest.raises(ScenarioError, match=r"mine.py:15: the workload's 'pages' is to return pages from 0 to 6"):
        mine.pages(late, mix(late), 7)


def test_no_page_at_all_is_an_answer(tmp_path: Path) -> None:
    name = written(tmp_path, MINE.replace(LAST, "return np.full(len(operations), 2**64 - 1, np.uint64)"))
    numbers = np.arange(3, dtype=np.uint64)
    assert build(name).pages(numbers, numbers, 5).tolist() == [int(NOWHERE)] * 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("(100.0, operation + 10)", None),
        ("(100.0, None)", None),
        ("100.0", "not 100.0 (float)"),
        ("(0, None)", "not (0, None) (tuple)"),
        ("(100.0, operation)", "not (100.0, 7) (tuple)"),
        ("1 / 0", "mine.py:18: the workload failed in 'pace': ZeroDivisionError"),
    ],
)
def test_its_rate_may_change_with_its_operations(tmp_path: Path, answer: str, said: str | None) -> None:
    mine = build(written(tmp_path, f"{MINE}\n    def pace(self, operation): return {answer}\n"))
    if said is None:
        assert pace(mine, 7)[0] == 100.0
        return
    with pytest.raises(ScenarioError) as raised:
        pace(mine, 7)
    assert said in str(raised.value)
