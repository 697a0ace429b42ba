"""What a quantity may look like, as JSON Schema: for editors, which know a scenario only by its schema.

A number is held against both bounds. A text is held against its form, its units, and zero; how large it is with its
unit no pattern says, so that is left to the loader, and told in the description.
"""

import math
import re
from typing import TypeAlias

from pydantic.json_schema import JsonSchemaValue

from testbed.core.text.quantity import BARE, Bare, written
from testbed.core.units import UNITS, Dimension

_NUMBER = r"[0-9]+(?:_[0-9]{3})*(?:\.[0-9]+)?"
_WHOLE = r"[0-9]+(?:_[0-9]{3})*(?:\.0+)?"
_EXPONENT = r"[eE][+-]?[0-9]+"
_NOT_ZERO = r"(?=[0-9_]*\.?[0-9]*[1-9])"
_ZERO = r"0+(?:_000)*(?:\.0+)?"
_SHARE = r"0+(?:\.[0-9]+)?|0*1(?:\.0+)?"


Schema: TypeAlias = JsonSchemaValue
"""A JSON Schema or a part of one, as pydantic makes them: its words and what stands for them."""
FORM_OF = "form of"
"""A word in what is made here, not in the schema at the end: of which kind a pattern is; it then stands there once."""


def quantity_schema(
    dimension: Dimension, *, least: float, most: float, above: bool, bare: Bare | None = None
) -> Schema:
    """The schema of a quantity between ``least`` (``above``: more than it) and ``most``, in base units."""
    low = f"more than {written(least, dimension)}" if above else f"at least {written(least, dimension)}"
    allowed = bare or BARE.get(dimension) or Bare()
    return {
        "description": f"{dimension.value}, {low} and at most {written(most, dimension)}",
        "anyOf": [
            *_numbers(allowed, least, most, above),
            _text(dimension, _form(dimension, allowed, some=above or least > 0, most=most)),
        ],
    }


def parameter_schema(dimension: Dimension, bare: Bare | None, *, most: float, whole: bool) -> Schema:
    """The schema of a parameter that counts ``dimension``, up to ``most``; narrower bounds are its owner's to know."""
    if whole and dimension is Dimension.NUMBER:
        form = rf"^\s*(?:{_WHOLE}|{_NUMBER}{_EXPONENT})\s*$"
        return {
            "description": "a whole number",
            "anyOf": [{"type": "integer", "minimum": 0, "maximum": most}, _text(dimension, form)],
        }
    allowed = bare or BARE.get(dimension) or Bare()
    numbers = _numbers(allowed, 0.0, most, False)
    return {"description": dimension.value, "anyOf": [*numbers, _text(dimension, _form(dimension, allowed))]}


def _text(dimension: Dimension, form: str) -> Schema:
    return {"type": "string", "pattern": form, FORM_OF: dimension.name.replace("_", " ")}


def _numbers(bare: Bare, least: float, most: float, above: bool) -> list[Schema]:
    low, high = max(least, bare.least), min(most, bare.below)
    made: Schema = {"type": "number", "exclusiveMinimum" if above and low == least else "minimum": low}
    if high != math.inf:
        made |= {"exclusiveMaximum" if high == bare.below else "maximum": high}
    zero = [{"const": 0}] if least == 0 and not above and low > 0 else []
    return [*zero, made]


def _form(dimension: Dimension, bare: Bare, *, some: bool = False, most: float = math.inf) -> str:
    """With a unit; or without one where that may be; ``some``: not zero."""
    start = _NOT_ZERO if some else ""
    units = "|".join(re.escape(unit) for unit in UNITS[dimension])
    forms = [rf"{start}{_NUMBER}(?:{_EXPONENT})?\s*(?:{units})"] if units else []
    forms += [rf"{start}{_NUMBER}{_EXPONENT}", *_bare_forms(start, bare, most)]
    return rf"^\s*(?:{'|'.join(forms)})\s*$"


def _bare_forms(start: str, bare: Bare, most: float) -> list[str]:
    if bare.least:
        return [rf"(?=[0_]*[1-9](?:_?[0-9]){{6}}){_NUMBER}", *([] if start else [_ZERO])]
    if bare.below < math.inf:
        return [start + (r"0+(?:\.[0-9]+)?" if bare.below == 1.0 else r"0*[0-9](?:\.[0-9]+)?")]
    return [_SHARE if most == 1.0 else start + _NUMBER]
