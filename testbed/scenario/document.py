"""YAML text to a plain tree that remembers on which line each value stood.

Safe by construction: nothing but mappings, lists and scalars; no anchors (so no "billion laughs"), no tags, no
duplicate keys, bounded size and depth. Scalars follow YAML 1.2's core schema: ``no`` is a word, ``010`` is not eight.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from testbed.core.errors import ScenarioError
from testbed.core.foreign import as_text, foreign
from testbed.core.units import Dimension, written

MAX_BYTES = 256 * 1024
"""A scenario is a page or two; what is larger is not one."""
MAX_DEPTH = 12
"""The deepest key of a scenario lies at 6."""

KeyPath: TypeAlias = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}")
_HALF = re.compile("[\ud800-\udfff]")
"""What is no character by itself, and cannot be written; YAML takes it as an escape."""
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A tree of dicts, lists and scalars; ``places`` says for each path where it was written (``file:line``)."""

    tree: dict[str, Any]
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


def dotted(path: KeyPath) -> str:
    """``vm.workload.phases.0.name``: a path as people write it."""
    return ".".join(str(part) for part in path)


def parts(path: str) -> KeyPath:
    """The inverse of ``dotted``."""
    return tuple(int(part) if part.isascii() and part.isdigit() and len(part) < 6 else part for part in path.split("."))


def read(path: Path) -> Document:
    """The scenario in a file. Raises ``ScenarioError`` with file and line."""
    try:
        if not path.is_file():
            raise ScenarioError("is not a file", str(path))
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ScenarioError(f"cannot be read: {reason}", str(path)) from error
    if len(raw) > MAX_BYTES and not foreign(raw, str(path)):
        raise ScenarioError(f"is larger than {MAX_BYTES // 1024} KiB: that is no scenario", str(path))
    return parse(as_text(raw, str(path)), str(path))


def parse(text: str, name: str) -> Document:
    """The scenario in a text; ``name`` stands for the file in messages. Raises ``ScenarioError``."""
    try:
        _check(text, name)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ScenarioError("holds a character that YAML does not allow; remove it", f"{name}:{line}") from error
    except yaml.MarkedYAMLError as error:
        raise ScenarioError(f"not valid YAML: {error.problem or error.context}", _where(name, error)) from error
    if node is None:
        raise ScenarioError("is empty; a scenario has at least vm: {ram: 1GiB}", name)
    if not isinstance(node, yaml.MappingNode):
        raise ScenarioError("a scenario is a mapping of keys such as name, network, vm", _line(name, node))
    places: dict[KeyPath, str] = {(): name}
    return Document(tree=_mapping(node, (), name, places), places=places)


def scalar(text: str) -> Any:
    """The value of an unquoted scalar: a number, true, false, null, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def as_yaml(value: float, dimension: Dimension) -> Any:
    """A quantity as a scenario writes it: with its unit, and as a number where it needs none."""
    return scalar(written(value, dimension))


def _check(text: str, name: str) -> None:
    """Refuse, before anything is built, what could explode or mean code."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        here = f"{name}:{event.start_mark.line + 1}" if event.start_mark else name
        if getattr(event, "anchor", None) is not None:
            raise ScenarioError("anchors and aliases (& and *) are not used in scenarios; write the value out", here)
        if (tag := getattr(event, "tag", None)) is not None:
            raise ScenarioError(f"tags such as {str(tag)[:40]} are not used in scenarios; leave it out", here)
        if _HALF.search(getattr(event, "value", "")):
            raise ScenarioError("holds half a character (an escape such as \\ud800); write the character itself", here)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > MAX_DEPTH:
            raise ScenarioError(f"is nested more than {MAX_DEPTH} deep: no scenario is", here)
        if documents > 1:
            raise ScenarioError("a second document begins here; a file holds one scenario", here)


def _build(node: yaml.Node, path: KeyPath, name: str, places: dict[KeyPath, str]) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, name, places)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            places[*path, index] = _line(name, item)
        return [_build(item, (*path, index), name, places) for index, item in enumerate(node.value)]
    return node.value if getattr(node, "style", None) else scalar(node.value)


def _mapping(node: yaml.MappingNode, path: KeyPath, name: str, places: dict[KeyPath, str]) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key, value in _keys(node, name):
        if key.value in built:
            raise ScenarioError(f"the key '{key.value}' stands here a second time; remove one", _line(name, key))
        places[*path, key.value] = _line(name, key)
        built[key.value] = _build(value, (*path, key.value), name, places)
    return built


def _keys(node: yaml.MappingNode, name: str) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ScenarioError("a key must be a word, not a list or a mapping", _line(name, key))
        yield key, value


def _line(name: str, node: yaml.Node) -> str:
    return f"{name}:{node.start_mark.line + 1}"


def _where(name: str, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f"{name}:{mark.line + 1}" if mark else name


def _put(tree: Any, path: KeyPath, value: Any, place: str, whole: KeyPath) -> Any:
    """``tree`` with ``value`` at ``path``, sharing what did not change."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    above = whole[: len(whole) - len(path)]
    if above == _LISTED and isinstance(tree, str | dict):
        tree = [tree]
    if isinstance(tree, list):
        return _put_item(tree, path, value, place, whole)
    if isinstance(tree, str) and (above in _NAMED or above[:-1] == _LISTED):
        tree = {"name": tree}
    if not isinstance(tree, dict | None):
        raise ScenarioError(f"'{dotted(above)}' is {str(tree)[:40]!r} and has no part '{head}'", place)
    rest_of_it = {key: kept for key, kept in (tree or {}).items() if key != str(head)}
    if not rest and value is None:
        return rest_of_it
    changed = _put((tree or {}).get(str(head)), rest, value, place, whole)
    return {key: changed if key == str(head) else kept for key, kept in (tree or {}).items()} | {str(head): changed}


_NAMED: tuple[KeyPath, ...] = (("vm", "workload"), ("migration", "policy"))
"""Where a bare word stands for a mapping with that name."""
_LISTED: KeyPath = ("vm", "services")
"""Where one alone stands for a list of it; a bare word in that list stands for a mapping with that name."""


def _put_item(items: list[Any], path: KeyPath, value: Any, place: str, whole: KeyPath) -> list[Any]:
    index = path[0]
    if not isinstance(index, int) or index >= len(items):
        above = dotted(whole[: len(whole) - len(path)])
        raise ScenarioError(f"'{above}' is a list of {len(items)}; number its items from 0, not '{index}'", place)
    changed = _put(items[index], path[1:], value, place, whole)
    return [*items[:index], changed, *items[index + 1 :]]
