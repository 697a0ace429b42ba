"""Where a worker makes its points: in a main thread, so that a policy has its limit, and where a run would be made."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from typing import Any

import pytest

from testbed.cli import main
from testbed.core.errors import Overdue, TestbedError
from testbed.doctor import lacking as asking
from testbed.doctor.abilities import Ability, abilities
from testbed.linux.processes.time_limit import time_limit
from testbed.sweeps.makers.beside import Beside
from testbed.sweeps.makers.worker import CANARY
from tests.unit.test_sweeps_remote import AS_ROOT

# ---- A limit on what is asked there ----------------------------------------------------------------------------------


def for_ever() -> str:
    try:
        with time_limit(0.01):
            while True:
                pass
    except Overdue:
        return "ended"


def dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def beside() -> Iterator[Beside]:
    with Beside() as made:
        yield made
    # Python's own child, which stays as long as this process does: other tests count children.
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


def test_what_takes_too_long_is_ended_and_who_dies_of_a_point_is_made_anew(beside: Beside) -> None:
    """Asked from a thread, as by Dask."""
    answers: list[Any] = []

    def ask() -> None:
        answers.append(beside.submit(for_ever).result(60))
        with pytest.raises(BrokenProcessPool):
            beside.submit(dies).result(60)
        answers.append(beside.submit(os.getpid).result(60))

    asking_thread = threading.Thread(target=ask)
    asking_thread.start()
    asking_thread.join(60)
    assert answers[0] == "ended" and answers[1] != os.getpid()


def never_ends() -> None:
    while True:
        signal.pause()


def test_who_leaves_waits_for_no_point(beside: Beside) -> None:
    given = [beside.submit(never_ends), beside.submit(os.getpid)]
    beside.shutdown()
    assert all(isinstance(each.exception(60), BrokenProcessPool) for each in given)


# ---- What is asked before it joins -----------------------------------------------------------------------------------


def test_what_applies_to_this_user_is_asked_in_a_process_that_enters() -> None:
    told = asking.lacking()
    here = {each.what: each for each in abilities()}
    assert all(here[line.split(":")[0]].needed for line in told)


@pytest.mark.parametrize("said", ["", "{", "Traceback"])
def test_where_that_cannot_be_found_out_it_is_said(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, said, ""))
    with pytest.raises(TestbedError, match="testbed doctor"):
        asking.lacking()


def test_who_lacks_something_does_not_join_and_makes_no_canary(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lack = Ability(what="tbf", works=False, remedy="another kernel", needed=True)
    monkeypatch.setattr(asking, "lacking", lambda: [f"{lack.what}: {lack.remedy}"])
    monkeypatch.setattr("testbed.sweeps.makers.worker.tried", lambda _engine: pytest.fail(CANARY))
    assert main(["worker", "tcp://127.0.0.1:8786", *AS_ROOT]) == 3
    assert capsys.readouterr().err == "testbed: no run is possible without tbf: another kernel; see: testbed doctor\n"
