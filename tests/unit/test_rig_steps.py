"""After a migration's end each step only adds: one that fails leaves a reason, and the ones after it are taken."""

import errno
import os
import subprocess

import psutil
import pytest

from testbed.core.errors import ScenarioError, TestbedError
from testbed.findings.record import judged
from testbed.rig.steps import Steps
from tests.unit.evidence import the_evidence

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def raising(fault: BaseException) -> int:
    raise fault


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (TestbedError("the switch is gone"), "the switch is gone"),
        (ScenarioError("is another's", "/run"), "/run: is another's"),
        (FULL, "No space left on device"),
        (OSError(errno.EACCES, os.strerror(errno.EACCES), "/run/x"), "Permission denied: /run/x"),
        (TimeoutError("it does not stop"), "it does not stop"),
        (TimeoutError(), "TimeoutError"),
        (psutil.NoSuchProcess(9), str(psutil.NoSuchProcess(9))),
        (subprocess.CalledProcessError(1, ["tc"]), "Command '['tc']' returned non-zero exit status 1."),
    ],
)
def test_a_step_that_fails_is_a_reason_and_the_next_one_is_taken(fault: Exception, words: str) -> None:
    steps = Steps()
    assert steps.take("packets", lambda: raising(fault), -1) == -1
    assert steps.take("samples", lambda: 5, -1) == 5
    assert steps.faults == [f"packets: {words}"]
    record = judged(the_evidence(faults=tuple(steps.faults)))
    assert record.invalid_reasons == [f"packets: {words}"] and record.outcome == "completed"


def test_reasons_stand_in_the_order_of_the_steps() -> None:
    steps = Steps()
    for what in ("packets", "samples", "the proof of memory"):
        steps.take(what, lambda: raising(TestbedError("it broke")), None)
    assert steps.faults == ["packets: it broke", "samples: it broke", "the proof of memory: it broke"]


@pytest.mark.parametrize("bug", [ZeroDivisionError(), KeyboardInterrupt()])
def test_a_bug_is_no_reason_and_is_not_hidden(bug: BaseException) -> None:
    steps = Steps()
    with pytest.raises(type(bug)):
        steps.take("packets", lambda: raising(bug), None)
    assert steps.faults == []
