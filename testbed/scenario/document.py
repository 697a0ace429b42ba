"""A scenario as it was written: a plain tree (``core.text.yaml_text``) that can be changed value by value."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.core.registry import is_path
from testbed.core.text.quantity import written
from testbed.core.text.yaml_text import KeyPath, Tree, scalar, text_of, tree_of
from testbed.core.units import Dimension

OWN = (("migration", "policy"), ("migration", "tracker"), ("vm", "workload"))
"""What may be code of a user's own: a name that is the path of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A tree of dicts, lists and scalars; ``places`` says for each path where it was written (``file:line``)."""

    tree: Tree
    places: dict[KeyPath, str]

    def place(self, path: KeyPath) -> str:
        """Where the value at ``path`` was written, or else the nearest thing around it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return "scenario"

    def with_value(self, path: KeyPath, value: Any, place: str) -> "Document":
        """A copy with another value at ``path``; None takes it away. Raises ``ScenarioError`` if it leads nowhere."""
        tree = _put(self.tree, path, value, place, path)
        kept = {known: there for known, there in self.places.items() if known[: len(path)] != path}
        return Document(tree=tree, places=kept | {path: place})


def own_files(tree: Tree) -> Iterator[tuple[KeyPath, str]]:
    """The files of a user's own that a scenario names as its policy, tracker or workload, or within that, each with the
    path of the whole of it. What is no scenario names none.
    """
    for part, key in OWN:
        above = tree.get(part)
        if isinstance(above, dict):
            yield from (((part, key), name) for name in files_in(above.get(key)))


def files_in(spec: Any) -> Iterator[str]:
    """The files of a user's own that a name, or a name with parameters, is or holds."""
    name = spec.get("name") if isinstance(spec, dict) else spec
    if isinstance(name, str) and is_path(name):
        yield name
    for part in spec.values() if isinstance(spec, dict) else ():
        for item in part if isinstance(part, list) else ():
            yield from files_in(item)


def dotted(path: KeyPath) -> str:
    """``vm.workload.phases.0.name``: a path as people write it."""
    return ".".join(str(part) for part in path)


def parts(path: str) -> KeyPath:
    """The inverse of ``dotted``."""
    return tuple(int(part) if part.isascii() and part.isdigit() and len(part) < 6 else part for part in path.split("."))


def read(path: Path) -> Document:
    """The scenario in a file. Raises ``ScenarioError`` with file and line."""
    return parse(text_of(path), str(path))


def parse(text: str, name: str) -> Document:
    """The scenario in a text; ``name`` stands for the file in messages. Raises ``ScenarioError``."""
    tree, places = tree_of(text, name)
    return Document(tree=tree, places=places)


def as_yaml(value: float, dimension: Dimension) -> Any:
    """A quantity as a scenario writes it: with its unit, and as a number where it needs none."""
    return scalar(written(value, dimension))


def _put(tree: Any, path: KeyPath, value: Any, place: str, whole: KeyPath) -> Any:
    """``tree`` with ``value`` at ``path``, sharing what did not change."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    above = whole[: len(whole) - len(path)]
    if above == LISTED and isinstance(tree, str | dict):
        tree = [tree]
    if isinstance(tree, list):
        return _put_item(tree, path, value, place, whole)
    if isinstance(tree, str) and (above in NAMED or above[:-1] == LISTED):
        tree = {"name": tree}
    if not isinstance(tree, dict | None):
        raise ScenarioError(f"'{dotted(above)}' is {str(tree)[:40]!r} and has no part '{head}'", place)
    rest_of_it = {key: kept for key, kept in (tree or {}).items() if key != str(head)}
    if not rest and value is None:
        return rest_of_it
    changed = _put((tree or {}).get(str(head)), rest, value, place, whole)
    return {key: changed if key == str(head) else kept for key, kept in (tree or {}).items()} | {str(head): changed}


NAMED: tuple[KeyPath, ...] = (("vm", "workload"), ("migration", "policy"))
"""Where a bare word stands for a mapping with that name."""
LISTED: KeyPath = ("vm", "services")
"""Where one alone stands for a list of it; a bare word in that list stands for a mapping with that name."""


def _put_item(items: list[Any], path: KeyPath, value: Any, place: str, whole: KeyPath) -> list[Any]:
    index = path[0]
    if not isinstance(index, int) or index >= len(items):
        above = dotted(whole[: len(whole) - len(path)])
        raise ScenarioError(f"'{above}' is a list of {len(items)}; number its items from 0, not '{index}'", place)
    changed = _put(items[index], path[1:], value, place, whole)
    return [*items[:index], changed, *items[index + 1 :]]


def value_at(tree: Any, path: str) -> Any:
    """What a tree says at a path such as ``vm.workload.write_rate``; None where it says nothing."""
    for part in parts(path):
        if isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        elif isinstance(tree, dict):
            tree = tree.get(str(part))
        else:
            return None
    return tree
