"""Names that a scenario or a policy may use, read from the files that define them and not imported.

So they can be listed at once, where Mininet or anything else is missing, and by who may not know the kernel. A file
says its duty in the first line of its docstring; ``@register("name")`` names a policy, throttle, workload or engine;
``topos = {"name": ...}`` a topology.
"""

import ast
import math
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path


def registered(package: str) -> dict[str, str]:
    """What the modules of a package register, by name in alphabetical order, each with its module's first line."""
    return _described(package, "@register(", _registered_in)


def ranked(package: str) -> list[str]:
    """What the modules of a package register, by the number ``rank`` that is written in each class."""
    ranks = {name: _rank(entry) for _, tree in _parsed(package, "@register(") for name, entry in _entries(tree)}
    return sorted(ranks, key=lambda name: (ranks[name], name))


def topologies() -> dict[str, str]:
    """Topologies by the names under which ``mn --custom`` knows them too."""
    return _described("topologies", "topos", _topologies_in)


def _described(package: str, mark: str, names_in: Callable[[ast.Module], Iterator[str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line, tree in _parsed(package, mark):
        found |= dict.fromkeys(names_in(tree), line)
    return dict(sorted(found.items()))


@cache
def _parsed(package: str, mark: str) -> list[tuple[str, ast.Module]]:
    """The first line and the syntax of each of its files that has the mark: to parse the others would take time. Read
    once: who gives up root may not be able to a second time.
    """
    return list(_read(package, mark))


def _read(package: str, mark: str) -> Iterator[tuple[str, ast.Module]]:
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    for path in (path for folder in folders for depth in ("*.py", "*/*.py") for path in Path(folder).glob(depth)):
        text = path.read_text(encoding="utf-8")
        if mark in text:
            tree = ast.parse(text)
            yield (ast.get_docstring(tree) or "").partition("\n")[0], tree


def _registered_in(tree: ast.Module) -> Iterator[str]:
    return (name for name, _ in _entries(tree))


def _entries(tree: ast.Module) -> Iterator[tuple[str, ast.ClassDef]]:
    """The classes that register themselves, each with its name there."""
    for entry in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for each in entry.decorator_list:
            if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "register":
                yield from ((str(name.value), entry) for name in each.args if isinstance(name, ast.Constant))


def _rank(entry: ast.ClassDef) -> float:
    """Infinite where none is written."""
    for node in entry.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="rank")], value=ast.Constant(value=int(rank))):
                return rank
    return math.inf


def _topologies_in(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Dict):
            targets = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            keys = [key.value for key in statement.value.keys if isinstance(key, ast.Constant)]
            yield from (str(key) for key in keys if "topos" in targets)
