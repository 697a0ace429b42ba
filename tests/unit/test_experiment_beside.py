"""Whose runs are beside one's own: who is seen, and what is said of it."""

import os
import socket
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from testbed.experiment import beside
from testbed.experiment.records import begun
from testbed.linux.processes.caller import name_of
from tests.unit.entered import python


def announced(*names: str) -> Sequence[socket.socket]:
    made = [socket.socket(socket.AF_UNIX) for _ in names]
    for each, name in zip(made, names, strict=True):
        each.bind(f"\0{name}")
    return made


def test_who_else_runs_is_seen_and_what_only_looks_like_it_is_not() -> None:
    names = ["fast-motion/54321/4242", "fast-motion/9999999999/1", "fast-motion/x/1", "not-fast-motion/1/1"]
    held = announced(*names, f"fast-motion/1/{os.getpid()}")
    assert beside.others() >= {(54321, 4242), (9999999999, 1)}
    assert not {pid for _, pid in beside.others()} & {os.getpid()}
    assert name_of(9999999999) == "user 9999999999"
    for each in held:
        each.close()
    assert not beside.others() & {(54321, 4242), (9999999999, 1)}


def test_it_is_written_into_the_summary_and_said_once() -> None:
    said: list[str] = []
    summary = begun("hello", "native", 1, native=True)
    with beside.watched(summary, said.append):
        before = list(said)
        (held,) = announced("fast-motion/54321/77")
    held.close()
    assert summary.environment["beside"][len(before) :] == ["a run of user 54321 (process 77)"]
    assert len(said) == len(before) + 1 and "figures of both are suspect" in said[-1]


def test_a_flood_of_names_is_not_told_without_end() -> None:
    said: list[str] = []
    held = announced(*(f"fast-motion/54321/{number}" for number in range(100, 200)))
    with beside.watched(begun("hello", "native", 1, native=True), said.append):
        pass
    assert len(said) == beside.MOST_TOLD
    for each in held:
        each.close()


def test_one_that_is_under_way_can_be_seen_while_it_lasts() -> None:
    code = "from testbed.experiment.beside import others; print(len([1 for _, pid in others() if pid == {}]))"
    with beside.announced():
        assert python(code.format(os.getpid())).stdout == "1\n"
    assert python(code.format(os.getpid())).stdout == "0\n"


@given(st.binary(max_size=60))
def test_a_name_is_read_or_passed_over(name: bytes) -> None:
    for uid, pid in beside.read(b"0: 00000002 00000000 00000000 0001 01 1 @" + name + b"\n"):
        assert uid >= 0 and pid >= 0
