"""Running a file of somebody's own as a module, whose name is that of no other file.

Whoever is at work on it, in a notebook say, changes it and comes again in the same process. So a module is the file's
as long as that is what it was, and what it imports from beside it, too; else it is run anew.
"""

import hashlib
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from testbed.core.errors import ScenarioError
from testbed.core.own.beside import Itself, forget, reached
from testbed.core.own.words import line_in, told

_made_of: dict[str, dict[Path, str | None]] = {}
"""Of each module that is kept: the SHA-256 of each file that it was made of."""


def digest(file: Path) -> str | None:
    """Its SHA-256 in hexadecimal; None when it cannot be read, or might never end, as a pipe or a device."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
    except OSError:
        return None


def kept(name: str, file: Path, where: str, *, absent: str, broken: str) -> ModuleType:
    """The module that this made before, if the file and what it imports is what it was; else as ``run`` makes it."""
    now = {each: digest(each) for each in reached(file)}
    if name in sys.modules and _made_of.get(name) == now:
        return sys.modules[name]
    forget(file.parent)
    module = run(name, file, where, absent=absent, broken=broken, beside=file.parent)
    _made_of[name] = now
    return module


def forget_below(folder: Path) -> None:
    """What was run from there, or from a folder in it, is no module any more."""
    for name, files in list(_made_of.items()):
        if any(each.is_relative_to(folder) for each in files):
            del _made_of[name]
            sys.modules.pop(name, None)
            for above in {each.parent for each in files}:
                forget(above)


def run(name: str, file: Path, where: str, *, absent: str, broken: str, beside: Path | None = None) -> ModuleType:
    """Runs it, now; then it is the module of that ``name``. ``where`` it lies, as its user calls it; ``beside``: the
    folder of what else it may import. Raises ``ScenarioError``: it is ``absent``, or ``broken`` at a line.
    """
    spec = spec_from_file_location(name, file, loader=Itself(file, beside))
    if spec is None or spec.loader is None or not file.is_file():
        raise ScenarioError(absent, where)
    module = module_from_spec(spec)
    before, sys.modules[name] = sys.modules.get(name), module  # dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as fault:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
        line = line_in(str(file), fault)
        raise ScenarioError(f"{broken}: {told(fault)}", where if line is None else f"{where}:{line}") from fault
    return module
