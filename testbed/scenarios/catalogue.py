"""Names that a scenario may use, each with one line, read from the files that define them and not imported.

So they can be listed at once, and where Mininet or anything else is missing. A file says its duty in the first line
of its docstring; ``@register("name")`` names a policy, workload or engine; ``topos = {"name": ...}`` a topology.
"""

import ast
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path


def registered(package: str) -> dict[str, str]:
    """What the modules of a package register, by name in alphabetical order, each with its module's first line."""
    return _described(package, "@register(", _registered_in)


def topologies() -> dict[str, str]:
    """Topologies by the names under which ``mn --custom`` knows them too."""
    return _described("topologies", "topos", _topologies_in)


def _described(package: str, mark: str, names_in: Callable[[ast.Module], Iterator[str]]) -> dict[str, str]:
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    found: dict[str, str] = {}
    for path in (path for folder in folders for depth in ("*.py", "*/*.py") for path in Path(folder).glob(depth)):
        text = path.read_text(encoding="utf-8")
        if mark not in text:  # most of a package's files define none, and to parse them takes a start-up's time
            continue
        tree = ast.parse(text)
        line = (ast.get_docstring(tree) or "").partition("\n")[0]
        found |= dict.fromkeys(names_in(tree), line)
    return dict(sorted(found.items()))


def _registered_in(tree: ast.Module) -> Iterator[str]:
    decorators = (each for node in tree.body if isinstance(node, ast.ClassDef) for each in node.decorator_list)
    for each in decorators:
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "register":
            yield from (str(name.value) for name in each.args if isinstance(name, ast.Constant))


def _topologies_in(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Dict):
            targets = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            keys = [key.value for key in statement.value.keys if isinstance(key, ast.Constant)]
            yield from (str(key) for key in keys if "topos" in targets)
