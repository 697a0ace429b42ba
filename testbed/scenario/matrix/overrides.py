"""Changes to a scenario: ``PATH=VALUE`` from the command line, or a path and a value from Python.

A value on the command line is taken as it stands (``vm.ram=64GiB``, ``title=a #1 and more``); ``true``, ``false`` and
numbers mean what they do in a file, ``null`` takes a key away, and a list in brackets makes an axis of the matrix
(``vm.ram=[1GiB, 2GiB]``). What is in quotes as a whole is what stands in them. A path that the matrix sets loses its
axis. A value from Python is that value: a number, a text, a list for an axis, a mapping for a workload.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from numbers import Integral, Real
from typing import Any, TypeAlias

from testbed.core.errors import ScenarioError
from testbed.core.text.nearest import nearest
from testbed.core.text.yaml_text import end_of, scalar
from testbed.scenario import document as documents
from testbed.scenario.document import Document, dotted, parts
from testbed.scenario.matrix.axes import axes_of
from testbed.scenario.matrix.cases import CASES, without
from testbed.scenario.models import Root

Setting: TypeAlias = str | tuple[str, Any]
"""``PATH=VALUE``, or a path and a value of Python's."""

TEXTS = ("name", "title")
"""Keys that hold text, whatever it looks like: a title may be ``1984``."""
LARGEST = 2**63
"""Whole numbers beyond it are none that a scenario holds."""
_FIXED = {"matrix": "set the path itself: --set vm.ram=128GiB", "published": "edit the file"}


def override(document: Document, setting: Setting) -> Document:
    """``document`` with one setting put in. Raises ``ScenarioError`` that names it as it was given."""
    if isinstance(setting, str):
        place = f"--set {setting:.100}"
        path_text, equals, value_text = setting.partition("=")
        if not equals:
            raise ScenarioError("expected PATH=VALUE, such as vm.ram=64GiB", place)
        return _set(document, path_text.strip(), lambda: _value(path_text.strip(), value_text, place), place)
    path_text, given = setting
    place = f"set {path_text:.60}={given!r:.60}"
    return _set(document, path_text, lambda: plain(given, place), place)


def plain(value: Any, place: str) -> Any:
    """A value of Python's as a scenario holds it: numpy's numbers are numbers, paths are texts, arrays are lists.

    Raises ``ScenarioError`` for what is none of these.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(part, place) for key, part in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(item, place) for item in value]
    return _plain_scalar(value, place)


def _plain_scalar(value: Any, place: str) -> Any:
    match value:
        case None | bool():
            return value
        case str():
            return str.__str__(value)  # not that of a subclass, such as an Enum's
        case os.PathLike():
            return os.fspath(value)
        case Integral():
            return int(value) if abs(int(value)) < LARGEST else float("inf")
        case Real():
            return float(value)
    kind = type(value).__name__
    raise ScenarioError(f"a value is a number, a text, true or false, a list or a mapping, not {kind}", place)


def _set(document: Document, path_text: str, value_of: Callable[[], Any], place: str) -> Document:
    path = parts(path_text)
    if not all(path) and 0 not in path:
        raise ScenarioError("expected PATH=VALUE, such as vm.ram=64GiB", place)
    if path[0] in _FIXED:
        raise ScenarioError(f"'{path[0]}' cannot be set here; {_FIXED[str(path[0])]}", place)
    if path[0] not in Root.model_fields:
        raise ScenarioError(
            f"unknown key '{dotted(path):.60}'; {nearest(str(path[0])[:60], [*Root.model_fields])}", place
        )
    value = value_of()
    document = _without_axis(document, dotted(path), place)
    if isinstance(value, list):
        return document.with_value(("matrix", dotted(path)), value, place)
    return document.with_value(path, value, place)


def _value(path: str, text: str, place: str) -> Any:
    """A scalar, or a list of scalars; never less than the whole of ``text``."""
    text = text.strip()
    if text[:1] in ("'", '"') and text[1:] and (quoted := _quoted(text)) is not None:
        return quoted
    if path in TEXTS:
        return None if text == "null" else text
    if not text.isprintable():
        raise ScenarioError("a value is one line", place)
    if text[:1] not in ("[", "{"):
        return scalar(text)
    try:
        value = documents.parse(f"value: {text}\n", place).tree.get("value")
    except ScenarioError as error:
        raise ScenarioError(str(error).removeprefix(f"{error.where}: "), place) from error
    if isinstance(value, dict):
        raise ScenarioError("a value is a single one such as 64GiB; set the parts of a mapping one by one", place)
    rest = text[end_of(text)[1] :].strip()
    if rest:
        raise ScenarioError(f"the list ends before '{rest:.40}'; take that away", place)
    return value


def _quoted(text: str) -> str | None:
    """What stands in the quotes, if all of ``text`` stands in one pair of them."""
    with suppress(ValueError):
        quoted, end = end_of(text)
        return quoted if end == len(text) else None
    return None


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
