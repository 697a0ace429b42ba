"""Running a file of somebody's own as a module, whose name is that of no other file.

Whoever is at work on it, in a notebook say, changes it and comes again in the same process. So a module is the file's
as long as that is what it was, and what it imported from beside it, too; else it is run anew.
"""

import hashlib
import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import SourceLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from testbed.core.errors import ScenarioError
from testbed.core.own.words import line_in, told


@dataclass(frozen=True, slots=True)
class _Kept:
    """A module that was run, and the SHA-256 of each file that it is made of."""

    module: ModuleType
    made_of: Mapping[Path, str | None]


_kept: dict[str, _Kept] = {}
_beside: dict[Path, dict[str, ModuleType]] = {}
"""What was imported from beside such files, by their folder and by name."""


def name_of(kind: str, file: Path) -> str:
    """What the module of a file is called; ``kind``: of what files it is one."""
    return f"testbed_{kind}_{hashlib.sha256(str(file).encode()).hexdigest()[:16]}"


def digest(file: Path) -> str | None:
    """Its SHA-256 in hexadecimal; None when it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None


def kept(name: str) -> ModuleType | None:
    """The module that ``run_beside`` made, if all that it is made of is as it was then."""
    known = _kept.get(name)
    current = known is not None and all(digest(file) == sha256 for file, sha256 in known.made_of.items())
    return known.module if known is not None and current else None


def made_of(name: str) -> list[Path]:
    """The files that the module is made of, its own first; none of one that ``run_beside`` has not made."""
    return list(_kept[name].made_of) if name in _kept else []


def run_beside(name: str, file: Path, where: str, *, absent: str, broken: str) -> ModuleType:
    """Runs it as ``run`` does, and what lies beside it can be imported meanwhile; then it is ``kept``."""
    read = digest(file)
    with _found_beside(file.parent):
        module = run(name, file, where, absent=absent, broken=broken)
    others = {each: digest(each) for each in map(_file_of, _beside[file.parent].values())}
    _kept[name] = _Kept(module, {file: read, **others})
    return module


def run(name: str, file: Path, where: str, *, absent: str, broken: str) -> ModuleType:
    """Runs it, now; then it is the module of that ``name``. ``where`` it lies, as its user calls it. Raises
    ``ScenarioError``: it is ``absent``, or ``broken`` at a line.
    """
    spec = spec_from_file_location(name, file, loader=_Itself(file))
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


class _Itself(SourceLoader):
    """Loads the file, and never what was once compiled of it: Python tells that by size and second."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def get_filename(self, fullname: str) -> str:
        """As Python asks for it."""
        return str(self._file)

    def get_data(self, path: str) -> bytes:
        """As Python asks for it."""
        return Path(path).read_bytes()


@contextmanager
def _found_beside(folder: Path) -> Iterator[None]:
    """Last on the path, so that what lies there can be imported and yet passes for nothing else. What was imported from
    there before is imported anew, and what lies in another folder is not taken for it.
    """
    for name in _beside.pop(folder, {}):
        sys.modules.pop(name, None)
    theirs = {name: sys.modules.pop(name) for known in _beside.values() for name in known if name in sys.modules}
    importlib.invalidate_caches()
    before, writes = set(sys.modules), sys.dont_write_bytecode
    sys.path.append(str(folder))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes
        sys.path.remove(str(folder))
        _beside[folder] = dict(_imported(folder, before))
        for name, module in theirs.items():
            sys.modules.setdefault(name, module)


def _imported(folder: Path, before: set[str]) -> Iterator[tuple[str, ModuleType]]:
    """Modules that lie there, and in packages that do, of a name that nothing had before."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in before or isinstance(getattr(module, "__loader__", None), _Itself):
            continue
        file = _file_of(module)
        depth = name.count(".") + (file.name == "__init__.py")
        if folder in file.parents[depth : depth + 1]:
            yield name, module


def _file_of(module: ModuleType) -> Path:
    """Where it lies, or a package without a file would have one."""
    file: str | None = getattr(module, "__file__", None)
    return Path(file) if file else Path(*list(getattr(module, "__path__", ()))[:1], "__init__.py")
