"""Imports of modules whose names are not written as imports: all of them are made here, so that the laws know them.

    imported("mininet.net")                        a literal, or an f-string: the laws read what it can name
    parts("testbed.policies")                      names alone; nothing is imported but the package

``setup.cfg`` refuses ``importlib.import_module`` and its like everywhere else.
"""

import importlib
import pkgutil
from types import ModuleType


def imported(name: str) -> ModuleType:
    """The module of that full name. Raises ``ImportError``."""
    return importlib.import_module(name)


def parts(package: str) -> dict[str, bool]:
    """The modules of a package by name: True for one that is a package itself. Raises ``ImportError``."""
    return {each.name: each.ispkg for each in pkgutil.iter_modules(imported(package).__path__)}
