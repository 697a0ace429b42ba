"""`python3 -m testbed`, under any Python of this machine.

Debian's own Python lacks our packages. Then the interpreter of the virtual environment that `bootstrap` made takes
over, so that what works as `testbed COMMAND` works as `python3 -m testbed COMMAND` in a checkout.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from testbed.linux.files.installed import bootstrap, is_checkout
from testbed.linux.processes.module import ROOT, Parts, module

CHECKOUT = Path(ROOT)
DEPENDENCIES = (
    "altair", "numpy", "orjson", "psutil", "pydantic", "rich", "scapy", "starlette", "typer", "uvicorn",
    "vl_convert", "xxhash", "yaml",
)  # fmt: skip
MISSING_PREREQUISITE = 3
# Names the interpreters tried so far, so that broken environments end in a message and never in a loop.
HANDED_OVER = "TESTBED_HANDED_OVER"


def missing() -> list[str]:
    """The packages we need that this interpreter cannot import."""
    return [name for name in DEPENDENCIES if find_spec(name) is None]


def interpreters() -> list[Path]:
    """The interpreters that `bootstrap` may have made here, likeliest first."""
    named = os.environ.get("TESTBED_VENV")
    venvs = [Path(named)] if named else []
    venvs += [CHECKOUT / ".venv", Path("/opt/fast-motion/venv")]
    return [python for venv in venvs if os.access(python := venv / "bin" / "python", os.X_OK)]


def hand_over() -> int:
    """Become the first interpreter not yet tried; returns an exit code only when none is left."""
    tried = os.environ.get(HANDED_OVER, "").split(os.pathsep)
    for python in map(str, interpreters()):
        if python not in tried:
            os.environ[HANDED_OVER] = os.pathsep.join([*tried, python])
            os.execv(python, [python, *module("testbed", *sys.argv[1:])[1:]])  # noqa: S606 - no shell is wanted
    names = missing()
    remedy = f"run: sudo {bootstrap(CHECKOUT)} install" if is_checkout(CHECKOUT) else "see: pip check"
    print(f"testbed: {', '.join(names)} not installed here; {remedy}", file=sys.stderr)  # noqa: T201
    return MISSING_PREREQUISITE


def main() -> int:
    """Run the command line, here or under the right interpreter."""
    if missing():
        return hand_over()
    os.environ.pop(HANDED_OVER, None)
    sys.meta_path.append(Parts)
    from testbed.cli import main as command_line

    return command_line()


if __name__ == "__main__":
    raise SystemExit(main())
