"""A grid as Python asks for it: a file, a scenario's name, a mapping or a scenario, with keys and settings over it.

asked("hello", axes={"vm.ram": ["1GiB", "2GiB"]}, repeats=5)      asked("grid.yaml", repeats=5)
asked({"extends": "hello", "sweep": {"axes": {"vm.ram": [...]}}})
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from testbed.core.errors import ScenarioError
from testbed.core.text.yaml_text import KeyPath
from testbed.scenario import Scenario, extends
from testbed.scenario.document import Document
from testbed.scenario.matrix.axes import axes_of
from testbed.scenario.matrix.overrides import Setting, override, plain
from testbed.scenario.scenario import file_of
from testbed.sweeps.grid import AXES, SWEEP, Grid, made, told_in_a_line

GridGiven: TypeAlias = str | Path | Mapping[str, Any] | Scenario
"""A file, the name of a scenario, a mapping as a file has it, or a scenario."""


def asked(
    given: GridGiven,
    keys: Mapping[str, Any],
    settings: Sequence[Setting] = (),
    own_code: Callable[[Path], None] = lambda _file: None,
) -> Grid:
    """The grid. Raises ``ScenarioError``: which key, what was expected.

    ``keys``: those of ``sweep`` by name, over the grid's own; None leaves that. ``settings``: ``PATH=VALUE``, or a path
    and a value; none of what an axis sets. ``own_code`` is told once of each file of code, before it is run.
    """
    with told_in_a_line():
        document, stem = _document(given)
        if "sweep" not in document.tree:
            document = document.with_value(SWEEP, {}, document.place(()))
        for name, value in keys.items():
            if value is not None:
                place = f"{name}={value!r:.60}"
                document = document.with_value((*SWEEP, name), plain(value, place), place)
        axes = list(axes_of(document, AXES))
        for setting in settings:
            _check_free(setting, axes)
            document = override(document, setting)
        return made(document, stem, own_code)


def _document(given: GridGiven) -> tuple[Document, str]:
    """As it was written, with what it stands on, and the name that it has where it says none."""
    if isinstance(given, Scenario):
        return Document(tree=given.resolved(), places={}), given.name
    if isinstance(given, Mapping):
        tree = plain(given, "grid")
        base = tree.get(extends.EXTENDS)
        stem = Path(base).stem if isinstance(base, str) else "grid"
        return extends.standing(Document(tree=tree, places=dict.fromkeys(_paths(tree), "grid")), Path("grid")), stem
    file = file_of(given)
    return extends.whole(file), file.stem


def _paths(tree: Any, above: KeyPath = ()) -> Iterator[KeyPath]:
    """Of all that a tree has, so that nothing of it passes for the base's."""
    yield above
    if isinstance(tree, Mapping | list):
        for key, part in tree.items() if isinstance(tree, Mapping) else enumerate(tree):
            yield from _paths(part, (*above, key))


def _check_free(setting: Setting, axes: Sequence[str]) -> None:
    """Refuse a value that each point would replace."""
    path = (setting.partition("=")[0] if isinstance(setting, str) else setting[0]).strip()
    if any(f"{path}.".startswith(f"{axis}.") for axis in axes):
        raise ScenarioError(f"an axis of the sweep sets '{path:.60}' already; leave it out here", f"set {path:.60}")
