"""YAML text to a plain tree that remembers on which line each value stood: the one reader of what others wrote.

Safe by construction: nothing but mappings, lists and scalars; no anchors (so no "billion laughs"), no tags, no
duplicate keys, bounded size and depth. Scalars follow YAML 1.2's core schema: ``no`` is a word, ``010`` is not eight.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from yaml.composer import Composer
from yaml.resolver import Resolver

from testbed.core.errors import ScenarioError
from testbed.core.text.foreign import as_text, foreign

MAX_BYTES = 256 * 1024
"""A scenario is a page or two; what is larger is not one."""
MAX_NODES = 20_000
"""Keys, values, lists and mappings; each takes a kilobyte while it is read."""
MAX_DEPTH = 12
"""The deepest key of a scenario lies at 6."""

KeyPath: TypeAlias = tuple[str | int, ...]
Tree: TypeAlias = dict[str, Any]
"""A mapping as somebody wrote it, nothing of it checked: text, numbers, true, false, None, lists and mappings."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")
"""As many digits as the largest seed has."""
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}")
_HALF = re.compile("[\ud800-\udfff]")
"""What is no character by itself, and cannot be written; YAML takes it as an escape."""
_QUICK: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml, where PyYAML was built with it: it takes a tenth of the time."""
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


def text_of(path: Path) -> str:
    """The text in a file. Raises ``ScenarioError`` with file and line."""
    try:
        if not path.is_file():
            raise ScenarioError("is not a file", str(path))
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ScenarioError(f"cannot be read: {reason}", str(path)) from error
    if len(raw) > MAX_BYTES and not foreign(raw, str(path)):
        raise ScenarioError(f"is larger than {MAX_BYTES // 1024} KiB, and no more is read", str(path))
    return as_text(raw, str(path))


def tree_of(
    text: str, name: str, kind: str = "scenario", *, may_be_empty: bool = False
) -> tuple[Tree, dict[KeyPath, str]]:
    """The mapping that a text is, and for each path in it where it was written (``file:line``); ``name`` stands for the
    file in messages, ``kind`` says what it is to be; ``may_be_empty``: nothing but comments is a mapping without keys.
    Raises ``ScenarioError``.
    """
    try:
        node = _composed(text, name, kind)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ScenarioError("holds a character that YAML does not allow; remove it", f"{name}:{line}") from error
    except yaml.MarkedYAMLError as error:
        raise ScenarioError(f"not valid YAML: {error.problem or error.context}", _where(name, error)) from error
    if node is None and may_be_empty:
        return {}, {(): name}
    if node is None:
        example = "; a scenario has at least vm: {ram: 1GiB}" if kind == "scenario" else ""
        raise ScenarioError(f"is empty{example}", name)
    if not isinstance(node, yaml.MappingNode):
        example = " such as name, network, vm" if kind == "scenario" else ""
        raise ScenarioError(f"every {kind} is a mapping of keys{example}", _line(name, node))
    places: dict[KeyPath, str] = {(): name}
    return _mapping(node, (), name, places), places


def end_of(text: str) -> tuple[str | None, int]:
    """Where the first value in ``text`` ends, and its text if it is a scalar. Raises ``ValueError`` for no YAML."""
    try:
        node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError("is no YAML") from error
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None, node.end_mark.index


def scalar(text: str) -> Any:
    """The value of an unquoted scalar: a number, true, false, null, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _composed(text: str, name: str, kind: str) -> yaml.Node | None:
    try:
        return _Composer(list(_checked(text, name, kind, _QUICK))).get_single_node()
    except (yaml.YAMLError, UnicodeEncodeError):  # PyYAML's own reader says better what is wrong
        return _Composer(list(_checked(text, name, kind, yaml.SafeLoader))).get_single_node()


class _Composer(Composer, Resolver):
    """Composes what was parsed before, so that a text is taken apart once."""

    def __init__(self, events: Sequence[yaml.Event]) -> None:
        Composer.__init__(self)
        Resolver.__init__(self)
        self._events = deque(events)

    def check_event(self, *choices: type[yaml.Event]) -> bool:
        return bool(self._events) and isinstance(self._events[0], choices)

    def peek_event(self) -> yaml.Event:
        return self._events[0]

    def get_event(self) -> yaml.Event:
        return self._events.popleft()


def _checked(text: str, name: str, kind: str, reader: Any) -> Iterator[yaml.Event]:
    """What it consists of; refuses, before anything is built, what could explode or mean code."""
    depth = documents = nodes = 0
    for event in yaml.parse(text, Loader=reader):
        here = f"{name}:{event.start_mark.line + 1}" if event.start_mark else name
        if getattr(event, "anchor", None) is not None:
            raise ScenarioError(f"anchors and aliases (& and *) are not used in {kind}s; write the value out", here)
        if (tag := getattr(event, "tag", None)) is not None:
            raise ScenarioError(f"tags such as {str(tag)[:40]} are not used in {kind}s; leave it out", here)
        if _HALF.search(getattr(event, "value", "")):
            raise ScenarioError("holds half a character (an escape such as \\ud800); write the character itself", here)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        nodes += isinstance(event, yaml.NodeEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > MAX_DEPTH:
            raise ScenarioError(f"is nested more than {MAX_DEPTH} deep: no {kind} is", here)
        if nodes > MAX_NODES:
            raise ScenarioError(f"holds more than {MAX_NODES} values: no {kind} does", here)
        if documents > 1:
            raise ScenarioError(f"a second document begins here; a file holds one {kind}", here)
        yield event


def _build(node: yaml.Node, path: KeyPath, name: str, places: dict[KeyPath, str]) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, name, places)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            places[*path, index] = _line(name, item)
        return [_build(item, (*path, index), name, places) for index, item in enumerate(node.value)]
    return node.value if getattr(node, "style", None) else scalar(node.value)


def _mapping(node: yaml.MappingNode, path: KeyPath, name: str, places: dict[KeyPath, str]) -> Tree:
    built: Tree = {}
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
