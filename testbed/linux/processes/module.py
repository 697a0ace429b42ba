"""A module of ours as a process, wherever the user stands: no file there, nor beside the package, passes for another.

    Popen(module("testbed.web.server_process", CONFIG))       python -P .../module.py testbed.web.server_process CONFIG

``-m`` would look into the current folder first, and ``PYTHONPATH`` comes before Python's own modules. Here nothing is
looked for in the package's own place but its own parts.
"""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

ROOT = __file__.rsplit("/", 4)[0]
"""What holds ``testbed`` and ``guest_agent``: a checkout that may not be installed, or a directory of packages."""


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs it, with this Python."""
    return [sys.executable, "-P", __file__, name, *arguments]


class Parts:
    """Finds what lies beside this package and is of it, in a checkout that was not installed; asked last."""

    NAMES = ("testbed", "guest_agent", "topologies")

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where one of ``NAMES`` lies, as an importer asks; None for all else."""
        return PathFinder.find_spec(name, [ROOT], target) if path is None and name in cls.NAMES else None


def become(script: str) -> None:
    """This process goes on as one that runs a user's own script, with the same Python and what that has."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, script])  # noqa: S606 - no shell is wanted


def main() -> None:
    """Becomes the module named first."""
    import runpy

    sys.meta_path.append(Parts)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
