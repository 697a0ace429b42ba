"""The gate: what is inside is known outside, and nothing that is inside is ever stopped in the middle."""

import os
import subprocess
import sys
import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from guest_agent.gate import Gate, GateKeeper
from guest_agent.journal import JournalReader, JournalWriter
from testbed.core.units import PAGE_SIZE
from testbed.linux.memory import memfd
from testbed.linux.processes import process

steps = st.lists(st.sampled_from(["enter", "leave", "begin", "end", "hold", "release"]), max_size=40)


@settings(deadline=None, max_examples=60)
@given(steps)
def test_the_keeper_sees_whether_anything_is_inside_and_a_hold_lets_nothing_in(moves: list[str]) -> None:
    journal = JournalWriter()
    gate, keeper, inside, held = Gate(journal.words), GateKeeper(journal.fd), 0, False
    os.close(journal.fd)
    for move in moves:
        match move:
            case "enter":
                assert gate.enter() is not held
                inside += not held
            case "begin":
                gate.begin()
                inside += 1
            case "leave" | "end" if inside:
                (gate.leave if move == "leave" else gate.end)()
                inside -= 1
            case "hold" | "release":
                (keeper.hold if move == "hold" else keeper.release)()
                held = move == "hold"
        assert keeper.busy is (inside > 0) and gate.held is held


def test_records_and_stolen_time_do_not_touch_the_gate() -> None:
    journal = JournalWriter()
    keeper, reader = GateKeeper(journal.fd), JournalReader(journal.fd)
    keeper.hold()
    journal.record(3, 4)
    assert Gate(journal.words).held and not keeper.busy and journal.stolen_s == 0
    assert reader.read().tolist() == [[3, 4]]
    os.close(journal.fd)


_CALLBACKS = """
import sys
import numpy as np
from guest_agent.gate import Gate
from guest_agent.journal import words
from testbed.linux.memory import memfd
gate = Gate(words(int(sys.argv[1])))
page = np.frombuffer(memfd.map_shared(int(sys.argv[2]), 4096), np.uint64)
print("ready", flush=True)
while True:
    if gate.enter():
        for word in list(range(8)) * 25:  # longer than it takes from hold to stop, so that stops do find it inside
            page[word] += np.uint64(1)
        gate.leave()
"""


def wait_until_idle(keeper: GateKeeper) -> None:
    while keeper.busy:
        pass


def test_a_stop_that_finds_it_not_busy_cut_no_callback() -> None:
    journal, fd = JournalWriter(), memfd.create("page", PAGE_SIZE)
    page, keeper = np.frombuffer(memfd.map_shared(fd, PAGE_SIZE), np.uint64), GateKeeper(journal.fd)
    command, fds = [sys.executable, "-c", _CALLBACKS, str(journal.fd), str(fd)], (journal.fd, fd)
    cut = 0
    with subprocess.Popen(command, pass_fds=fds, stdout=subprocess.PIPE) as child:
        assert child.stdout and child.stdout.readline() == b"ready\n"
        for moment in np.random.default_rng(3).uniform(0, 0.002, 200):
            until = time.monotonic() + moment
            while time.monotonic() < until:
                pass
            keeper.hold()
            process.freeze(child.pid)
            while keeper.busy:
                cut += 1
                process.resume(child.pid)
                wait_until_idle(keeper)
                process.freeze(child.pid)
            before = page[:8].tolist()
            assert len(set(before)) == 1
            process.resume(child.pid)
            assert page[:8].tolist() == before
            keeper.release()
        child.kill()
    assert cut, "no stop ever found a callback"
    assert page[0] > 0
    for each in fds:
        os.close(each)
