"""A machine of which each instruction is emulated is ten to thirty times slower: what that asks of all tests."""

import subprocess
import warnings
from functools import cache

SLOWER = 15
"""Times that a test waits longer there for what comes anyway."""


@cache
def emulated() -> bool:
    """As systemd sees it, and `machines/ci`: `qemu` is the emulator without KVM. Asked for the machine alone: a test in
    namespaces of its own (tests/alone) is in a container, too.
    """
    try:
        said = subprocess.run(["systemd-detect-virt", "--vm"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return False
    return said.strip() == "qemu"


def patience(seconds: float) -> float:
    """How long to wait here for what takes at most so long elsewhere."""
    return seconds * SLOWER if emulated() else seconds


def holds(rate: bool, said: str) -> None:
    """A rate is as it has to be; on an emulated machine alone it need not."""
    if emulated() and not rate:
        too_slow(said)
        return
    assert rate, said


def too_slow(said: str) -> None:
    """For a rate: a warning of the test, which pytest tells last."""
    warnings.warn(f"too slow here for rates: {said}", stacklevel=3)
