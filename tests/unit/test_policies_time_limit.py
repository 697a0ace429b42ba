"""The time that a policy's decision may take: one that hangs ends in one line, and what ran before goes on."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from testbed.core.errors import Overdue, PolicyFault
from testbed.engines.forecasting import UNKNOWN, expected
from testbed.engines.simulated import run
from testbed.linux.processes import time_limit as limits
from testbed.linux.processes.time_limit import time_limit
from testbed.model.predict import forecast
from testbed.policies import build
from testbed.policies.decisions import ask
from tests.unit.test_policies_decisions import ROUND, deciding, of_policy


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DECISION_S", 0.05)
    monkeypatch.setattr(limits, "AGAIN_S", 0.05)


HANGS = [
    ["while True:", "    pass"],
    ["while True:", "    try:", "        len(history)", "    except Exception:", "        pass"],
    ["import time", "time.sleep(1e6)"],
    ["import threading", "threading.Event().wait()"],
]


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("lines", HANGS, ids=[" ".join(each) for each in HANGS])
def test_a_decision_that_never_comes(tmp_path: Path, lines: list[str]) -> None:
    file = deciding(tmp_path, *lines)
    with pytest.raises(PolicyFault, match=f"{file}:[0-9]+: the policy took more than 0.05 s after round 1$"):
        ask(build(file), [ROUND], limits.deciding)


@pytest.mark.usefixtures("short")
def test_a_prediction_of_such_a_policy_ends_in_one_line(tmp_path: Path) -> None:
    made = of_policy(deciding(tmp_path, "while True:", "    pass"))
    with pytest.raises(PolicyFault, match="took more than"):
        run(made)
    assert expected(made) == UNKNOWN, "the migration will tell"
    seen = forecast(made, goodput=1e9, limit=limits.deciding)
    assert seen.outcome == "aborted" and seen.fault is not None and len(seen.rounds) == 1


@pytest.mark.parametrize(("command", "code"), [(("predict",), 2), (("run", "--engine", "simulated", "--no-page"), 1)])
def test_one_that_would_end_the_process_is_one_line_too(tmp_path: Path, command: tuple[str, ...], code: int) -> None:
    """By a command of its own, which would else be over as if all had been done."""
    file = deciding(tmp_path, "import os", "os._exit(0)")
    asked = [sys.executable, "-m", "testbed", *command, "hello", "--policy", file]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert re.search(rf"{file}:[0-9]+: the policy failed after round 1: SystemExit: os._exit\(0\)", done.stderr)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["with time_limit(60): threading.Thread(target=os._exit, args=[7]).start(); time.sleep(60)"], 7),
        (
            [
                "with time_limit(60): child = os.fork(); child or os._exit(7); status = os.waitpid(child, 0)[1]",
                "sys.exit(os.waitstatus_to_exitcode(status))",
            ],
            7,
        ),
        (["with time_limit(60): pass", "os._exit(8)"], 8),
    ],
    ids=["thread", "child", "afterwards"],
)
def test_who_else_ends_a_process_does(lines: list[str], code: int) -> None:
    needed = "import os, sys, threading, time; from testbed.linux.processes.time_limit import time_limit"
    asked = [sys.executable, "-c", "\n".join([needed, *lines])]
    assert subprocess.run(asked, check=False).returncode == code


def test_what_is_done_in_time_is_left_alone() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with time_limit(60):
        pass
    assert signal.getsignal(signal.SIGALRM) is before


def test_a_timer_that_ran_before_goes_on() -> None:
    with timer(50.0):
        with pytest.raises(Overdue), time_limit(0.01):
            while True:
                pass
        assert 40 < signal.getitimer(signal.ITIMER_REAL)[0] < 50


@contextmanager
def timer(seconds: float) -> Iterator[None]:
    handler = signal.signal(signal.SIGALRM, lambda *_: None)
    before, began = signal.setitimer(signal.ITIMER_REAL, seconds), monotonic()
    try:
        yield
    finally:
        left = max(0.1, before[0] - (monotonic() - began)) if before[0] else 0
        signal.setitimer(signal.ITIMER_REAL, left, before[1])
        signal.signal(signal.SIGALRM, handler)


def test_another_thread_has_no_limit_and_says_nothing() -> None:
    done: list[bool] = []

    def work() -> None:
        with time_limit(1e-6):
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert done == [True]
