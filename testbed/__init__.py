"""Fast Motion: a live-migration laboratory in a box.

``testbed.run``, ``load``, ``predict``, ``compare`` and ``Run`` are those that ``testbed.api`` has, imported when first
asked for; what they return is in ``outcomes``. The rooms, from the top down, as docs/design.md has them:

cli ─ bench ─ web, doctor, api ─ outcomes ─ experiment ─ report ─ scenario ─ scenarios ─ engines ─ rig ─ findings
runfiles ─ model ─ migration ─ packets ─ policies ─ throttles ─ dirty, metrics, network ─ linux, wire ─ core
"""

import sys

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path and any(word.startswith("testbed") for word in sys.orig_argv):
    # ``python3 -m testbed``: the first place to look into is where the user stands, and a file there that is called
    # numbers.py would pass for Python's own. What Python itself imports before this line we cannot help.
    del sys.path[0]

from typing import TYPE_CHECKING, Any

from testbed.core.version import __version__

if TYPE_CHECKING:
    from testbed.api import compare, load, predict, run
    from testbed.outcomes import Run

__all__ = ["Run", "__version__", "compare", "load", "predict", "run"]


def __getattr__(name: str) -> Any:
    if name not in ("Run", "compare", "load", "predict", "run"):
        raise AttributeError(f"module 'testbed' has no attribute {name!r}")
    from testbed import api

    return getattr(api, name)
