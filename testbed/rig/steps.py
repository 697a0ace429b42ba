"""Steps after a migration's end was decided: one that fails is noted, and the next one is taken."""

import subprocess
from collections.abc import Callable
from typing import TypeVar

import psutil

from testbed.core.errors import TestbedError, in_words

T = TypeVar("T")
FAULTS = (TestbedError, OSError, psutil.Error, subprocess.SubprocessError)
"""What hosts, disks and processes may answer with."""


class Steps:
    """``faults``: which steps failed, and why."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def take(self, what: str, step: Callable[[], T], otherwise: T) -> T:
        """What the step gives; ``otherwise`` when it fails, and ``what`` is not known then."""
        try:
            return step()
        except FAULTS as fault:
            self.faults.append(f"{what}: {in_words(fault)}")
            return otherwise
