"""``--set PATH=VALUE``: change a scenario from the command line.

A value is a YAML scalar (``vm.ram=64GiB``, ``migration.strict=true``), ``null`` takes a key away, and a list in
brackets makes an axis of the matrix (``vm.ram=[1GiB, 2GiB]``). A path that the matrix sets loses its axis.
"""

from typing import Any

from testbed.core.errors import ScenarioError
from testbed.core.registry import nearest
from testbed.scenario import document as documents
from testbed.scenario.cases import CASES, without
from testbed.scenario.document import Document, dotted, parts
from testbed.scenario.matrix import axes_of
from testbed.scenario.models import Root

_FIXED = {"matrix": "set the path itself: --set vm.ram=128GiB", "published": "edit the file"}


def override(document: Document, setting: str) -> Document:
    """``document`` with one ``PATH=VALUE`` put in. Raises ``ScenarioError`` that names the option."""
    place = f"--set {setting:.100}"
    path_text, equals, value_text = setting.partition("=")
    path = parts(path_text.strip())
    if not equals or (not all(path) and 0 not in path):
        raise ScenarioError("expected PATH=VALUE, such as vm.ram=64GiB", place)
    if path[0] in _FIXED:
        raise ScenarioError(f"'{path[0]}' cannot be set here; {_FIXED[str(path[0])]}", place)
    if path[0] not in Root.model_fields:
        raise ScenarioError(
            f"unknown key '{dotted(path):.60}'; {nearest(str(path[0])[:60], [*Root.model_fields])}", place
        )
    value = _value(value_text, place)
    document = _without_axis(document, dotted(path), place)
    if isinstance(value, list):
        return document.with_value(("matrix", dotted(path)), value, place)
    return document.with_value(path, value, place)


def _value(text: str, place: str) -> Any:
    """A scalar, or a list of scalars."""
    if not text.isprintable():
        raise ScenarioError("a value is one line", place)
    try:
        value = documents.parse(f"value: {text}\n", place).tree.get("value")
    except ScenarioError as error:
        raise ScenarioError(str(error).removeprefix(f"{error.where}: "), place) from error
    if isinstance(value, dict):
        raise ScenarioError("a value is a single one such as 64GiB; set the parts of a mapping one by one", place)
    return value


def _without_axis(document: Document, path: str, place: str) -> Document:
    """``document`` without the matrix's axis for ``path`` and for what lies below it, in its cases too."""
    matrix = document.tree.get("matrix")
    if not isinstance(matrix, dict):
        return document
    above = [axis for axis in axes_of(document) if path.startswith(f"{axis}.")]
    if above:
        raise ScenarioError(f"the matrix sets '{above[0]}' as a whole; set that, or edit the matrix", place)
    kept = {axis: values for axis, values in matrix.items() if not f"{axis}.".startswith(f"{path}.")}
    if CASES in kept:
        kept |= {CASES: without(kept[CASES], path)}
    kept = {axis: values for axis, values in kept.items() if values or axis != CASES}
    return document if kept == matrix else document.with_value(("matrix",), kept or None, place)
