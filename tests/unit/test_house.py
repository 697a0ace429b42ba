"""Habits of this house that can be counted (CONTRIBUTING, "What a test counts"). Imports have laws of their own."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.laws import calls

MOST_LINES, MOST_BODY, MOST_MODULES, MOST_PLAIN = 300, 40, 14, 50
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Documented: TypeAlias = ast.Module | ast.ClassDef | Function
PLAIN = re.compile(r"\bdict\[str, Any\]")
CROSSES = re.compile(r"testbed\.(wire|core\.agents)\..*|guest_agent\..*|.*_process")
WRITES_FOR_BROWSERS = "testbed.web.live.server_process"
"""A browser knows no classes of ours: what it gets is JSON."""
CHILD = re.compile(r".*(_process|\.__main__)")


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax of each of our modules."""
    return {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in calls.files().items()}


def rooms() -> dict[str, list[str]]:
    """Packages, each with its own modules and rooms, by their last names."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in trees():
        room, _, last = name.rpartition(".")
        found[room].append(last)
    return {room: parts for room, parts in found.items() if room}


def public(node: ast.AST, inside: str) -> Iterator[tuple[str, Documented]]:
    """Whatever is documented and has no leading underscore, by its full name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | Function) and (not child.name.startswith("_") or child.name[:2] == "__"):
            yield f"{inside}.{child.name}", child
            yield from public(child, f"{inside}.{child.name}") if isinstance(child, ast.ClassDef) else ()


def without_subject(words: str) -> bool:
    """Whether the first sentences of a docstring leave open what they are about."""
    start = words.partition("\n\n")[0]
    if start.startswith("See ``"):
        return False
    return len(re.findall(r"\w[\w'.-]*", start)) < 4 or bool(re.match(r"(It|Of|That|They|The same)\b", start))


def test_a_public_class_has_a_name_of_its_own() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for module, tree in trees().items():
        for name, node in public(tree, module):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(name)
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


def test_a_room_holds_what_can_be_seen_at_once() -> None:
    files = {room: [each for each in parts if f"{room}.{each}" not in rooms()] for room, parts in rooms().items()}
    assert {room: len(parts) for room, parts in files.items() if len(parts) > MOST_MODULES} == {}


def test_a_room_says_what_is_in_it() -> None:
    """What registers itself is listed by its registry; of the others one in five may go unnamed."""
    unnamed: dict[str, list[str]] = {}
    for room, parts in rooms().items():
        words = ast.get_docstring(trees()[room]) or ""
        told = [each for each in parts if each != "__main__" and not _is_entry(f"{room}.{each}")]
        missing = [each for each in told if not re.search(rf"\b{each}\b", words)]
        if not words or len(missing) > len(told) / 5:
            unnamed[room] = missing
    assert unnamed == {}


def _is_entry(module: str) -> bool:
    """Whether it is the module of an entry of a registry, or the folder of one."""
    return any(_registers(tree) for name, tree in trees().items() if f"{name}.".startswith(f"{module}."))


def _registers(tree: ast.Module) -> bool:
    """Whether a module puts an entry into a registry."""
    decorators = (each for node in tree.body if isinstance(node, ast.ClassDef) for each in node.decorator_list)
    return any(isinstance(each, ast.Call) and ast.unparse(each.func) == "register" for each in decorators)


def test_the_map_has_every_room() -> None:
    """Each once at least in the section of docs/design.md that draws them."""
    page = (Path(__file__).parents[2] / "docs" / "design.md").read_text(encoding="utf-8")
    drawn = page.partition("## Rooms, and who may import whom")[2].partition("\n## ")[0]
    placed = [*rooms()["testbed"], *calls.PACKAGES[1:]]
    assert [name for name in placed if name != "__main__" and not re.search(rf"\b{name}\b", drawn)] == []


def test_files_are_short() -> None:
    files = [*calls.files().values(), *Path(__file__).parents[1].rglob("*.py")]
    lengths = {str(file): len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_functions_are_short() -> None:
    """Counted from below the docstring."""
    long: dict[str, int] = {}
    for module, tree in trees().items():
        for node in (node for node in ast.walk(tree) if isinstance(node, Function)):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            if length > MOST_BODY:
                long[f"{module}.{node.name}"] = length
    assert long == {}


def test_a_docstring_has_a_subject() -> None:
    """The module's own, and that of each public class and function."""
    found = {
        name
        for module, tree in trees().items()
        for name, node in [(module, tree), *public(tree, module)]
        if (words := ast.get_docstring(node)) is not None and without_subject(words)
    }
    assert sorted(found) == [], "they need a subject"


@pytest.mark.parametrize(
    ("words", "without"),
    [
        ("It has.", True),
        ("Of one core.", True),
        ("They finish what is outstanding, while the guest still runs.", True),
        ("The same in words, and with a remedy.", True),
        ("Bytes in all.", True),
        ("See ``Tracker``.", False),
        ("The bytes of one block.", False),
        ("Items are listed in order.", False),
    ],
)
def test_what_counts_as_a_subject(words: str, without: bool) -> None:
    assert without_subject(words) is without


def test_what_crosses_a_process_is_a_class() -> None:
    plain = {
        name: len(PLAIN.findall(file.read_text(encoding="utf-8")))
        for name, file in calls.files().items()
        if name != WRITES_FOR_BROWSERS
    }
    assert sum(plain.values()) < MOST_PLAIN
    assert {name: count for name, count in plain.items() if count and CROSSES.fullmatch(name)} == {}


def test_a_child_process_says_so_in_its_name() -> None:
    """Or it is a room with a ``__main__``."""
    started = [
        (module, use.given)
        for module, file in calls.files().items()
        for use in calls.uses(module, file)
        if use.full == f"{calls.STARTED}()" and use.given
    ]
    assert len(started) >= 5, "they were found"
    for module, given in started:
        names = [name for name in trees() if re.fullmatch(given, name)]
        assert names and all(CHILD.fullmatch(name) or f"{name}.__main__" in trees() for name in names), (module, given)
