"""What a machine is said to be able to do, it does: also where others have most of its processors."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from testbed.experiment.machine import fitted, tried
from testbed.fit.judging import ORDER
from testbed.scenario import load
from tests.netns.launching import testbed
from tests.netns.undisturbed import undisturbed

NEIGHBOURS = 4


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """Programs that never sleep, each as if another user had started it."""
    command = [sys.executable, "-c", "while True: pass"]
    started = [subprocess.Popen(command, start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for each in started:
            each.kill()
            each.wait()


def ran(out: Path) -> dict[str, Any]:
    """The summary of ``hello``."""
    done = testbed("run", "hello", "--json", "--quiet", "--out", str(out))
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


@pytest.mark.whole_machine
def test_what_fits_is_valid_and_neighbours_alone_make_nothing_too_slow(tmp_path: Path) -> None:
    plans = load("hello").plans()
    alone = fitted(plans, tried(plans)).verdict
    with neighbours(NEIGHBOURS):
        beside = fitted(plans, tried(plans)).verdict
        summary = undisturbed(lambda number: ran(tmp_path / f"run-{number}"))
    assert ORDER.index(beside) <= max(ORDER.index(alone), ORDER.index("near"))
    assert summary["valid"] or summary["warnings"], summary["invalid_reasons"]
