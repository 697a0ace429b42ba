"""What several commands are asked for in the same words, and what follows from it."""

import sys
from datetime import datetime
from pathlib import Path


def overrides(set_: list[str] | None, policy: str | None) -> list[str]:
    """``--set`` and ``--policy`` as changes to a scenario, ``PATH=VALUE`` each."""
    return [*(set_ or []), *([f"migration.policy={policy}"] if policy else [])]


def own_code(file: Path) -> None:
    """Said before a user's file is run: a scenario may be somebody else's, and it runs with the rights of the run."""
    name = "".join(char if char.isprintable() else "?" for char in str(file))
    print(f"this scenario runs code of its own: {name}", file=sys.stderr, flush=True)


def folder_for(name: str, out: Path | None) -> Path:
    """``--out``, or a new folder of results that says what was run, and when."""
    return out or Path("results", f"{name}-{datetime.now():%Y%m%d-%H%M%S}")
