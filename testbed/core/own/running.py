"""Running a file of somebody's own as a module, whose name is that of no other file."""

import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from testbed.core.errors import ScenarioError
from testbed.core.own.words import line_in, told


def name_of(kind: str, file: Path) -> str:
    """What the module of a file is called; ``kind``: of what files it is one."""
    return f"testbed_{kind}_{hashlib.sha256(str(file).encode()).hexdigest()[:16]}"


def run(name: str, file: Path, where: str, *, absent: str, broken: str, beside: bool = False) -> ModuleType:
    """Runs it, now; then it is the module of that ``name``. ``where`` it lies, as its user calls it; ``beside``: what
    lies beside it can be imported meanwhile. Raises ``ScenarioError``: it is ``absent``, or ``broken`` at a line.
    """
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise ScenarioError(absent, where)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        with _found_beside(file.parent if beside else None):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as fault:
        del sys.modules[name]
        line = line_in(str(file), fault)
        raise ScenarioError(f"{broken}: {told(fault)}", where if line is None else f"{where}:{line}") from fault
    return module


@contextmanager
def _found_beside(folder: Path | None) -> Iterator[None]:
    """Last on the path, so that what lies there can be imported and yet passes for nothing else."""
    if folder is None:
        yield
        return
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
