"""A student's own parameters, drawn from who they are: the same wherever and whenever they are drawn.

Each from ``sha256(course, student, lab, parameter)``: nobody's depends on another's, and a parameter that is added to a
lab moves none of the others.
"""

import hashlib
import math
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from testbed.core.errors import ScenarioError
from testbed.core.units import UNITS, Dimension
from testbed.labs.definition.render import evaluated, tidy
from testbed.labs.definition.spec import LabSpec, ParameterSpec, Scalar

Parameters: TypeAlias = Mapping[str, Scalar]
LONGEST = 100
"""Characters of a name or an address."""
SEEDS = 10**9


def identity(name: str) -> str:
    """A student's name or address, as it is drawn from. Raises ``ScenarioError`` for what is none."""
    known = unicodedata.normalize("NFC", name).strip()
    if not known or len(known) > LONGEST or not known.isprintable():
        raise ScenarioError(f"must be a name or an address of 1 to {LONGEST} characters that can be printed", "--as")
    return known


def number(course: str, student: str, lab: str, parameter: str) -> int:
    """64 bits that nobody chose."""
    given = "\0".join((course, student, lab, parameter)).encode()
    return int.from_bytes(hashlib.sha256(given).digest()[:8])


def chosen(choices: Sequence[Scalar], bits: int) -> Scalar:
    """One of ``choices``, each as likely as any other."""
    return choices[bits * len(choices) >> 64]


def drawn(spec: LabSpec, course: str, student: str) -> dict[str, Scalar]:
    """Every parameter of a student's. Raises ``ScenarioError`` for an expression that cannot be reckoned."""
    found: dict[str, Scalar] = {}
    for name, parameter in spec.parameters.items():
        found[name] = _one(parameter, number(course, student, spec.lab, name), found, name)
    return found


def in_base(value: Scalar, unit: str, dimensions: Sequence[Dimension] = tuple(Dimension)) -> float:
    """A number of ``unit`` in bytes, bytes a second, bits a second or seconds. Raises ``ValueError``."""
    factor = next((UNITS[each][unit] for each in _preferred(dimensions) if unit in UNITS[each]), None)
    if factor is None or isinstance(value, str | bool):
        raise ValueError(f"{value!r} {unit} is no quantity")
    return value * factor


def _preferred(dimensions: Sequence[Dimension]) -> list[Dimension]:
    """``Mbit`` is a link's rate, before it is one of bytes."""
    return sorted(dimensions, key=lambda each: each is Dimension.BYTE_RATE)


def _one(parameter: ParameterSpec, bits: int, before: Parameters, name: str) -> Scalar:
    if parameter.seed:
        return 1 + (bits * SEEDS >> 64)
    if parameter.choose is not None:
        return chosen(parameter.choose, bits)  # type: ignore[arg-type] # the model has looked at each
    value = evaluated(parameter.is_ or "", before, f"parameters.{name}")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ScenarioError(f"'{parameter.is_}' is no finite number", f"parameters.{name}")
        return tidy(value)
    if isinstance(value, bool | int | str):
        return value
    raise ScenarioError(f"'{parameter.is_}' is neither a number nor a text", f"parameters.{name}")
