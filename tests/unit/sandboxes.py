"""Files of code for sandboxes, what comes of asking one, and whether this machine can have one."""

import os
from pathlib import Path

import pytest

from testbed import sandbox
from testbed.core.errors import PolicyFault, PrerequisiteMissing
from testbed.core.rounds import Round, RoundKind
from testbed.sandbox import Sandbox
from testbed.sandbox.messages import Limits

QUICK = Limits(question_s=0.3, silent_s=60.0, waiting_s=120.0)
"""Ended by what it took of the processor, however long a busy machine lets it wait for that."""
HEAD = """
from dataclasses import dataclass
from testbed.core.rounds import Action, Decision
"""
POLICY = """
@dataclass(frozen=True, kw_only=True)
class Theirs:
    def decide(self, history):
        {doing}
        return Decision(action=Action.SWITCH_OVER, reason="it was decided")
"""


def round(index: int, dirtied: int = 100_000_000) -> Round:
    """One of a second, and a gigabyte."""
    return Round(
        index=index,
        kind=RoundKind.PRECOPY,
        started_s=index - 1.0,
        duration_s=1.0,
        sent_bytes=10**9,
        dirtied_bytes=dirtied,
    )


def doing(folder: Path, *lines: str, before: str = "") -> Path:
    """A policy that does this when it is asked, and then decides."""
    file = folder / "theirs.py"
    file.write_text(HEAD + before + POLICY.format(doing="\n        ".join(lines)))
    return file


def needs_sandbox() -> None:
    """Skips where there can be none: a container without namespaces."""
    try:
        with Sandbox(b""):
            pass
    except PrerequisiteMissing as lack:
        pytest.skip(str(lack))


def asked(file: Path, limits: Limits = QUICK, times: int = 1) -> str:
    """What came of it in words: the last decision's reason, or the fault. Nothing of the process is left."""
    before = descriptors()
    try:
        with sandbox.policy(file, limits=limits) as policy:
            said = [policy.decide([round(1)]).reason for _ in range(times)][-1]
    except PolicyFault as fault:
        said = f"lost: {fault}"
    assert descriptors() == before and not children()
    return said


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def children() -> list[str]:
    """Commands of sandboxes that still run, of this process's."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes().split(b"\0")
            parent = each.with_name("stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if b"testbed.sandbox.served_process" in words and int(parent) == os.getpid():
            found.append(str(words))
    return found
