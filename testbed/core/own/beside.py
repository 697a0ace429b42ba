"""What lies beside a user's file and is imported by it: found by reading, and no name of it is anybody else's.

A folder's modules are those of a package of its own. So two folders may each have a ``helper``, and a notebook another,
and none passes for a module of Python's, of ours, or for one that is installed.
"""

import ast
import builtins
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from importlib.abc import SourceLoader
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

MOST_FILES = 1_000
"""So many are followed; of what imports more the rest is not looked at."""
OURS = ("testbed", "guest_agent")
KIND = "beside"


def name_of(kind: str, path: Path) -> str:
    """What the module of a file, or the package of a folder, is called; ``kind``: of which of those it is one."""
    return f"testbed_{kind}_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"


def reached(file: Path) -> list[Path]:
    """The file and what of its folder it imports by statements, wherever in it they stand, and what that does."""
    found, to_read = {file: None}, [file]
    while to_read and len(found) < MOST_FILES:
        each = to_read.pop()
        for other in _imported(each, file.parent):
            if other not in found:
                found[other] = None
                to_read.append(other)
    return list(found)


class Itself(SourceLoader):
    """Loads a file, and never what was once compiled of it: Python tells that by size and second. What the file
    imports is looked for in ``folder``, too, where there is one.
    """

    def __init__(self, file: Path, folder: Path | None) -> None:
        self._file, self._folder = file, folder

    def get_filename(self, fullname: str) -> str:
        """As Python asks for it."""
        return str(self._file)

    def get_data(self, path: str) -> bytes:
        """As Python asks for it."""
        return Path(path).read_bytes()

    def exec_module(self, module: ModuleType) -> None:
        """As Python asks for it."""
        if self._folder is not None:
            module.__dict__["__builtins__"] = vars(builtins) | {"__import__": partial(_import, self._folder)}
        super().exec_module(module)


def forget(folder: Path) -> None:
    """What was imported from there is imported anew."""
    for name in [each for each in sys.modules if f"{each}.".startswith(f"{name_of(KIND, folder)}.")]:
        del sys.modules[name]


class _Finder:
    """Finds what is in the packages of folders, to be loaded by ``Itself``."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        """As Python asks for it."""
        if not name.startswith(f"testbed_{KIND}_") or path is None:
            return None
        PathFinder.invalidate_caches()
        spec = PathFinder.find_spec(name, path)
        if spec is not None and isinstance(spec.loader, SourceFileLoader) and spec.origin:
            folder = Path(sys.modules[name.partition(".")[0]].__path__[0])
            inside = spec.submodule_search_locations
            loader = Itself(Path(spec.origin), folder)
            return spec_from_file_location(name, spec.origin, loader=loader, submodule_search_locations=inside)
        return spec


def _import(
    folder: Path,
    name: str,
    globals: Mapping[str, object] | None = None,
    locals: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    """``__import__`` of a file in ``folder``."""
    top = name.partition(".")[0]
    if level or not _lies(folder, top):
        return builtins.__import__(name, globals, locals, fromlist or (), level)
    package = name_of(KIND, folder)
    if package not in sys.modules:
        _found()
        made = module_from_spec(ModuleSpec(package, None, is_package=True))
        made.__path__ = [str(folder)]
        sys.modules[package] = made
    leaf = builtins.__import__(f"{package}.{name}", globals, locals, fromlist or (), 0)
    return leaf if fromlist else sys.modules[f"{package}.{top}"]


def _found() -> None:
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)


def _lies(folder: Path, top: str) -> bool:
    """Whether a module of that name is the folder's."""
    there = (folder / f"{top}.py").is_file() or (folder / top).is_dir()
    return there and top not in sys.stdlib_module_names and top not in OURS and not _installed(folder, top)


def _installed(folder: Path, top: str) -> bool:
    """Whether Python has one elsewhere than where a program begins, or stands."""
    begun = sys.path[:1] if not sys.flags.safe_path else []
    out = {"", str(folder), *_here(), *begun}
    return PathFinder.find_spec(top, [each for each in sys.path if each not in out]) is not None


def _here() -> list[str]:
    """Where one stands; nowhere in a folder that was deleted."""
    try:
        return [str(Path.cwd())]
    except FileNotFoundError:
        return []


def _imported(file: Path, folder: Path) -> Iterator[Path]:
    """The files of the folder that it names."""
    try:
        source = file.read_bytes() if file.is_file() else b""
    except OSError:
        return
    for level, name, also in _statements(source):
        if level:
            for above in file.parents[level - 1 : level]:
                yield from _below(above, name, also) if above.is_relative_to(folder) else ()
        elif _lies(folder, name.partition(".")[0]):
            yield from _below(folder, name, also)


@lru_cache(256)
def _statements(source: bytes) -> tuple[tuple[int, str, tuple[str, ...]], ...]:
    """What a text imports: from how far above, what, and what of that; nothing where it is no Python. Whoever asks for
    a class by its file's name asks this, time and again.
    """
    try:
        return tuple(each for node in ast.walk(ast.parse(source)) for each in _named(node))
    except (SyntaxError, ValueError, RecursionError):
        return ()


def _named(node: ast.AST) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    if isinstance(node, ast.Import):
        yield from ((0, alias.name, ()) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.level, node.module or "", tuple(alias.name for alias in node.names)


def _below(folder: Path, name: str, also: Sequence[str]) -> Iterator[Path]:
    """The files of a module of that name and of the packages that it is in, and of what is imported from it."""
    here = folder
    for part in filter(None, name.split(".")):
        here /= part
        yield from _file(here)
    for each in also:
        yield from _file(here / each)


def _file(module: Path) -> Iterator[Path]:
    for each in (module.with_name(f"{module.name}.py"), module / "__init__.py"):
        if each.is_file():
            yield each
