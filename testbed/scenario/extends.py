"""``extends``: a scenario that stands on another and says only what differs, as one whole document.

extends: hello                                  one that comes with the testbed, or ./base.yaml, ../base.yaml:
vm: {workload: {write_rate: 48MB/s}}            a file, by the way from this one

Mappings are merged, all else is replaced, and null takes a key away. Each value keeps the place where it was written.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from testbed import scenarios
from testbed.core.errors import ScenarioError
from testbed.core.text.nearest import nearest
from testbed.core.text.yaml_text import KeyPath, Tree
from testbed.scenario import document as documents
from testbed.scenario.document import LISTED, NAMED, Document
from testbed.scenario.quantities import shown

EXTENDS = "extends"
MOST = 8
"""Scenarios that one may stand on, one on the other."""
_OWN = "name"
"""What is never another's: its results' folder is called so."""


def whole(file: Path) -> Document:
    """The scenario in a file, with all that it stands on. Raises ``ScenarioError`` with file and line."""
    return standing(documents.read(file), file)


def standing(document: Document, by: Path) -> Document:
    """A document with all that it stands on; files are named by the way from the file ``by`` that it is in.
    Raises ``ScenarioError``.
    """
    read, chain = [document], [by]
    while EXTENDS in read[-1].tree:
        place = read[-1].place((EXTENDS,))
        chain.append(_base(read[-1].tree[EXTENDS], chain[-1], place))
        _check(chain, place)
        read.append(documents.read(chain[-1]))
    whole = read.pop()
    while read:
        whole = _over(whole, read.pop())
    return whole


def by_name(name: str) -> Path:
    """The file of a scenario that comes with the testbed. Raises ``ScenarioError`` with the nearest right name, and how
    a file is named.
    """
    if name in scenarios.names():
        return scenarios.path_of(name)
    message = f"no scenario is called '{name:.60}'; {nearest(name[:60], scenarios.names())}"
    raise ScenarioError(f"{message} (a file of your own: ./{name:.60}.yaml)")


def is_file(name: str) -> bool:
    """Whether that means a file, and not a scenario that comes with the testbed."""
    return "/" in name or Path(name).suffix in (".yaml", ".yml")


def _base(given: Any, by: Path, place: str) -> Path:
    """The file that ``extends`` means in the file ``by``; none that a link leads to."""
    if not isinstance(given, str) or not given.isprintable():
        raise ScenarioError(
            f"'{EXTENDS}' must be the name of a scenario, or a file such as ./base.yaml, not {shown(given)}", place
        )
    if not is_file(given):
        try:
            return by_name(given)
        except ScenarioError as error:
            raise ScenarioError(f"'{EXTENDS}': {error}", place) from error
    if given.startswith(("/", "~")) or Path(given).suffix not in (".yaml", ".yml"):
        way = "a .yaml file, by the way from this one, such as ../base.yaml"
        raise ScenarioError(f"'{EXTENDS}' must be {way}, not {shown(given)}", place)
    file = Path(os.path.normpath(by.parent / given))
    if os.path.realpath(file) != os.path.normpath(os.path.join(os.path.realpath(by.parent), given)):
        raise ScenarioError(f"'{EXTENDS}': a link leads to {shown(given)}; name the file itself", place)
    if not file.is_file():
        raise ScenarioError(f"'{EXTENDS}': there is no file {shown(str(file))}", place)
    return file


def _check(chain: list[Path], place: str) -> None:
    """Refuse a circle, and a chain that is longer than anybody can follow."""
    known = [os.path.realpath(each) for each in chain]
    if known[-1] in known[:-1]:
        circle = " -> ".join(each.name for each in chain[known.index(known[-1]) :])
        raise ScenarioError(f"'{EXTENDS}' goes round in a circle: {circle}", place)
    if len(chain) > MOST + 1:
        raise ScenarioError(f"'{EXTENDS}' leads over more than {MOST} scenarios; write some of them as one", place)


def _over(base: Document, own: Document) -> Document:
    """``own`` over ``base``."""
    replaced: set[KeyPath] = {(), (EXTENDS,), (_OWN,)}
    given = {key: value for key, value in own.tree.items() if key != EXTENDS}
    tree = _merged({key: value for key, value in base.tree.items() if key != _OWN}, given, (), replaced)
    kept = {path: place for path, place in base.places.items() if not any(each in replaced for each in _starts(path))}
    return Document(tree=tree, places=kept | {path: own.places[path] for path in own.places if path != (EXTENDS,)})


def _starts(path: KeyPath) -> Iterator[KeyPath]:
    """Itself and all that it lies in, but for the whole document."""
    return (path[:length] for length in range(1, len(path) + 1))


def _merged(base: Tree, own: Tree, above: KeyPath, replaced: set[KeyPath]) -> Tree:
    """``replaced`` gets the paths at which nothing is left of the base."""
    tree = dict(base)
    for key, value in own.items():
        path = (*above, key)
        before = _as_mapping(tree.get(key), path)
        if isinstance(value, dict) and isinstance(before, dict) and not _is_another(before, value, path):
            tree[key] = _merged(before, value, path, replaced)
            continue
        replaced.add(path)
        if value is None and key in tree:
            del tree[key]
        else:
            tree[key] = value
    return tree


def _as_mapping(value: Any, path: KeyPath) -> Any:
    return {"name": value} if isinstance(value, str) and path in NAMED else value


def _is_another(before: Tree, value: Tree, path: KeyPath) -> bool:
    """Whether it has a name of its own there: then the parameters of the one before are none of its."""
    return path == LISTED or (path in NAMED and "name" in value and value["name"] != before.get("name"))
