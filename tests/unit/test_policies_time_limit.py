"""The time that a policy's decision may take: one that hangs ends in one line, and what ran before goes on."""

import signal
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
