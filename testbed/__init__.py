"""Fast Motion: a live-migration laboratory in a box.

``testbed.run``, ``testbed.load`` and ``testbed.Run`` are those of ``testbed.api``, imported when first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from testbed.api import Run, load, run

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "load", "run"]


def __getattr__(name: str) -> Any:
    if name not in ("Run", "load", "run"):
        raise AttributeError(f"module 'testbed' has no attribute {name!r}")
    return getattr(import_module("testbed.api"), name)
