"""What the files of a tree call by full name, as their imports say, and the names of modules that they give to it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("testbed", "guest_agent", "topologies")
IMPORTED = "testbed.core.names.by_name.imported"
PARTS = "testbed.core.names.by_name.parts"
STARTED = "testbed.linux.processes.module.module"
REGISTRY = "testbed.core.registry.Registry"
NAMED = {IMPORTED: 0, PARTS: 0, STARTED: 0, REGISTRY: 1}
"""Who is given the name of a module, and as which of its arguments."""
_BUILTIN = ("__import__", "exec", "eval")


@dataclass(frozen=True, slots=True)
class Use:
    """A name of another module that a file uses. ``given``: a pattern of the modules that it asks for by name; None
    where it asks for none, or for one that cannot be read.
    """

    full: str
    line: int
    given: str | None = None


def files() -> dict[str, Path]:
    """The modules of our packages, where Python finds those."""
    found: dict[str, Path] = {}
    for package in PACKAGES:
        spec = find_spec(package)
        for folder in map(Path, (spec.submodule_search_locations if spec else None) or ()):
            for file in folder.rglob("*.py"):
                parts = file.relative_to(folder.parent).with_suffix("").parts
                found[".".join(parts).removesuffix(".__init__")] = file
    return found


@cache
def uses(module: str, file: Path) -> tuple[Use, ...]:
    """What a module uses of others, in the order of its text; names of packages' parts are full."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    known = {name: full for node in ast.walk(tree) for name, full in _imported(node)} | {
        name: f"builtins.{name}" for name in _BUILTIN
    }
    return tuple(_uses(tree, module, known))


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that an import binds, each with its full name."""
    match node:
        case ast.ImportFrom(module=str(source), names=names):
            yield from ((each.asname or each.name, f"{source}.{each.name}") for each in names)
        case ast.Import(names=names):
            for each in names:
                yield (each.asname, each.name) if each.asname else (each.name.split(".")[0],) * 2


def _uses(tree: ast.Module, module: str, known: dict[str, str]) -> Iterator[Use]:
    for node in ast.walk(tree):
        for _, full in _imported(node):
            yield Use(full, getattr(node, "lineno", 0))
        if isinstance(node, ast.Name | ast.Attribute) and (used := _full(node, known)):
            yield Use(used, node.lineno)
        if isinstance(node, ast.Call) and (called := _full(node.func, known) or "") in NAMED:
            yield Use(f"{called}()", node.lineno, _given(node, called, module))


def _full(node: ast.AST, known: dict[str, str]) -> str | None:
    match node:
        case ast.Name(id=name):
            return known.get(name)
        case ast.Attribute(value=value, attr=name) if of := _full(value, known):
            return f"{of}.{name}"
    return None


def _given(call: ast.Call, full: str, module: str) -> str | None:
    """A pattern of the modules that a call's argument names; those that a registry imports are its package's."""
    if len(call.args) <= NAMED[full]:
        return None
    name = _pattern(call.args[NAMED[full]], module)
    return rf"{name}\.\w+(\.\w+)?" if name and full == REGISTRY else name


def _pattern(node: ast.expr, module: str) -> str | None:
    match node:
        case ast.Constant(value=str(name)):
            return re.escape(name)
        case ast.Name(id="__name__"):
            return re.escape(module)
        case ast.JoinedStr(values=values):
            return "".join(_pattern(each, module) or r"\w+" for each in values)
    return None
