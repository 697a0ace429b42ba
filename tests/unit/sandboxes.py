"""Files of code for sandboxes, and whether this machine can have one."""

from pathlib import Path

import pytest

from testbed.core.errors import PrerequisiteMissing
from testbed.core.rounds import Round, RoundKind
from testbed.sandbox import Sandbox

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
