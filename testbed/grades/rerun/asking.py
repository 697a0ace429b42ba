"""Whoever is asked to run something again: this process, or one that was started while there was root and keeps it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from testbed.grades.rerun.again import answered
from testbed.grades.rerun.messages import ANSWERS, QUESTIONS, NotRunAgain, RunAnswer, Wanted
from testbed.labs.catalogue import LabFolder
from testbed.linux.processes.interrupts import deferring
from testbed.linux.processes.module import module

Ask: TypeAlias = Callable[[Wanted], RunAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs again what it is asked for. ``native``: on real hosts, where the record is of such."""

    ask: Ask
    native: bool


@contextmanager
def runner(lab: LabFolder, from_: Path | None) -> Iterator[Runner]:
    """One while the context lasts. With root it is a process of its own, which is over after that."""
    if os.geteuid() != 0:
        yield Runner(ask=lambda wanted: answered(lab, replace(wanted, engine="simulated")), native=False)
        return
    command = module("testbed.grades.rerun.again_process", lab.name, *([str(from_.absolute())] if from_ else []))
    with deferring():
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield Runner(ask=lambda wanted: _asked(process, wanted), native=True)
    finally:
        with deferring():
            process.communicate()  # it ends by itself, and puts the machine as it was before


def _asked(process: "subprocess.Popen[bytes]", wanted: Wanted) -> RunAnswer:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - they are pipes
    try:
        process.stdin.write(QUESTIONS.line(wanted))
        process.stdin.flush()
        return ANSWERS.read(process.stdout.readline())
    except (OSError, ValueError) as fault:
        return NotRunAgain(why=f"the process that runs it has ended ({fault})", exit_code=1)
