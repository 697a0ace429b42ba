"""Fast Motion: a live-migration laboratory in a box.

``testbed.run``, ``load``, ``predict``, ``compare``, ``sweep`` and ``Run`` are those that ``testbed.api`` has, imported
when first asked for; what they return is in ``outcomes``, and what they raise is a ``TestbedError``. The rooms, from
the top down, as docs/design.md has them:

cli ─ bench, grades ─ labs ─ web, doctor, api, arena ─ outcomes ─ sweeps ─ experiment ─ report ─ scenario ─ scenarios
engines ─ rig ─ findings ─ runfiles ─ model ─ migration ─ sandbox ─ packets ─ policies ─ throttles
dirty, metrics, network ─ linux, wire ─ core
"""

import sys

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path and any(word.startswith("testbed") for word in sys.orig_argv):
    # ``python3 -m testbed``: the first place to look into is where the user stands, and a file there that is called
    # numbers.py would pass for Python's own. What Python itself imports before this line we cannot help, but say.
    _here = sys.path.pop(0)
    for _name, _module in [*sys.modules.items()]:
        _file = getattr(_module, "__file__", None) or ""
        if _name != __name__ and "." not in _name and _file.rpartition("/")[0] in {_here, f"{_here}/{_name}"}:
            sys.stderr.write(
                f"testbed: Python has run {_file!a} of the current folder for its own module '{_name}', before any "
                "line of ours; rename it, or start with: testbed, or: python3 -P -m testbed\n"
            )
            raise SystemExit(2)

from typing import TYPE_CHECKING, Any

from testbed.core.errors import MachineBusy, PolicyFault, PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.version import __version__

if TYPE_CHECKING:
    from testbed.api import Stopped, compare, load, predict, run, sweep
    from testbed.outcomes.run import Run

__all__ = [
    "MachineBusy",
    "PolicyFault",
    "PrerequisiteMissing",
    "Run",
    "ScenarioError",
    "Stopped",
    "TestbedError",
    "__version__",
    "compare",
    "load",
    "predict",
    "run",
    "sweep",
]
_LATE = {*__all__} - {*globals()}
"""What ``testbed.api`` has under these names is imported when first asked for; ``dir`` and Tab know them before."""


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'testbed' has no attribute {name!r}")
    from testbed import api

    return getattr(api, name)


def __dir__() -> list[str]:
    """Without the rooms that happen to be loaded: they are no business of a user's."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
