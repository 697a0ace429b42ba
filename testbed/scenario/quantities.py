"""The kinds of value a scenario's key may have: read from text with units, bounded, and written back."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import index
from typing import Annotated, Any, SupportsIndex, TypeAlias

from pydantic import BeforeValidator, GetJsonSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from testbed.core.errors import ScenarioError
from testbed.core.own.file import path_of
from testbed.core.registry import is_path
from testbed.core.text.nearest import nearest
from testbed.core.text.quantity import Bare, parse, read, written
from testbed.core.units import Dimension
from testbed.scenario.document import as_yaml
from testbed.scenario.schema.patterns import Schema, quantity_schema

MOST: dict[Dimension, float] = {
    Dimension.SIZE: 2**46,
    Dimension.BLOCK: 2**46,
    Dimension.BIT_RATE: 100e12,
    Dimension.BYTE_RATE: 12.5e12,
    Dimension.TIME: 30 * 86400.0,
    Dimension.INTERVAL: 30 * 86400.0,
    Dimension.PER_SECOND: 1e12,
    Dimension.NUMBER: 1e12,
}
"""In base units more than any guest, link or experiment has; what counts and adds up need not reckon with more."""
MAX_RATE, LONG = MOST[Dimension.BIT_RATE], MOST[Dimension.TIME]


def quantity(
    dimension: Dimension,
    *,
    least: float = 0.0,
    most: float,
    above: bool = False,
    bare: Bare | None = None,
    payload: bool = False,
) -> tuple[Any, ...]:
    """The pydantic parts of a quantity between ``least`` (``above``: more than it) and ``most``, in base units.

    ``bare``: what may be without a unit. ``payload``: a bit rate that may be written in bytes.
    """

    def check(value: object) -> float:
        number = read(value, dimension, bare) if not payload else _goodput(value)
        if number < least or number > most or (above and number == least):
            low = f"more than {written(least, dimension)}" if above else f"at least {written(least, dimension)}"
            raise ValueError(f"must be {low} and at most {written(most, dimension)}, not {value}")
        return number

    schema = quantity_schema(dimension, least=least, most=most, above=above, bare=bare)
    return BeforeValidator(check), PlainSerializer(lambda value: as_yaml(value, dimension)), WithJsonSchema(schema)


def check_most(number: float, dimension: Dimension, value: object) -> None:
    """Raises ``ValueError`` for a quantity beyond ``MOST``, or below its negative; ``value`` is how it was written."""
    if number < -MOST[dimension]:
        raise ValueError(f"must be at least -{written(MOST[dimension], dimension)}, not {shown(value)}")
    if number > MOST[dimension]:
        raise ValueError(f"must be at most {written(MOST[dimension], dimension)}, not {shown(value)}")


def whole(least: int, most: int, *, only: Sequence[int] = ()) -> tuple[Any, ...]:
    """The pydantic parts of a whole number; ``only``: one of these."""

    def check(value: object) -> int:
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, not {shown(value)}")
        if only and number not in only:
            raise ValueError(f"must be one of {', '.join(map(str, only))}, not {number}")
        return number

    schema = {"type": "integer", "enum": list(only)} if only else {"type": "integer", "minimum": least, "maximum": most}
    return BeforeValidator(check), WithJsonSchema(schema)


def asked_whole(name: str, value: object, least: int | None = None) -> int:
    """A whole number that Python is given for an argument, numpy's too. Raises ``ScenarioError`` with its name."""
    number: int | None = None
    with suppress(TypeError):  # of numpy's own true and false
        if isinstance(value, SupportsIndex) and not isinstance(value, bool):
            number = index(value)
    if number is None:
        raise ScenarioError(f"{name} is a whole number, not {shown(value)}")
    if least is not None and number < least:
        raise ScenarioError(f"{name} is at least {least}, not {number}")
    return number


def one_of(what: str, words: Callable[[], Iterable[str]], *, or_file: bool = False) -> tuple[Any, ...]:
    """The pydantic parts of a word out of ``words``, with the nearest right one for a wrong one; ``or_file``: or of the
    path of a user's own file, which is not run here.
    """

    def check(value: object) -> str:
        if or_file and isinstance(value, str) and is_path(value):
            if not path_of(value).is_file():
                raise ValueError(f"there is no such file to load a {what} from: {shown(value)}")
            return value
        known = list(words())
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"no {what} is called {shown(value)}; {nearest(str(value)[:60], known)}")
        return value

    return BeforeValidator(check), _WordsSchema(what, words, or_file)


OWN_FILE: JsonSchemaValue = {"type": "string", "pattern": r"\.py$", "description": "a file of your own: ./mine.py"}


@dataclass(frozen=True, slots=True)
class _WordsSchema:
    """The words are asked for when a schema is wanted, not when a model is made."""

    what: str
    words: Callable[[], Iterable[str]]
    or_file: bool

    def __get_pydantic_json_schema__(self, _core: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        known: JsonSchemaValue = {"enum": list(self.words())}
        kinds = {"anyOf": [known, OWN_FILE]} if self.or_file else known
        return {"type": "string", **kinds, "description": f"a {self.what}"}


UNPRINTABLE = (
    "[\\x00-\\x1f\\x7f-\\xa0\\xad\\u061c\\u1680\\u180e\\u2000-\\u200f"
    "\\u2028-\\u202f\\u205f-\\u206f\\u3000\\ufeff\\ufff9-\\ufffb]"
)
"""What does not stand in a line of text: controls, marks without a width, and all spaces but the one."""


def text(longest: int, *, pattern: str = "", otherwise: str = "") -> tuple[Any, ...]:
    """The pydantic parts of one line of text; of another form than ``pattern`` it is refused with ``otherwise``."""

    def check(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"must be text, not {shown(value)}; put quotes around it")
        if pattern and not re.fullmatch(pattern, value):
            raise ValueError(otherwise)
        if found := re.search(UNPRINTABLE, value):
            raise ValueError(f"character {found.start() + 1} is {_called(found[0])}, which a line of text cannot hold")
        if len(value) > longest:
            raise ValueError(f"must be at most {longest} characters long, not {len(value)}")
        return value

    form = f"^{pattern}$(?!\\n)" if pattern else f"^(?![\\s\\S]*{UNPRINTABLE})"
    return BeforeValidator(check), WithJsonSchema({"type": "string", "maxLength": longest, "pattern": form})


def _called(character: str) -> str:
    """``a no-break space (U+00A0)``."""
    name = unicodedata.name(character, "a control character").lower()
    article = "" if name.startswith("a ") else "an " if name[0] in "aeiou" else "a "
    return f"{article}{name} (U+{ord(character):04X})"


def _goodput_schema() -> Schema:
    bits = quantity_schema(Dimension.BIT_RATE, least=0.0, most=MAX_RATE, above=True)
    in_bytes = quantity_schema(Dimension.BYTE_RATE, least=0.0, most=MOST[Dimension.BYTE_RATE], above=True)["anyOf"][-1]
    return {"description": f"{bits['description']}; or in bytes: 128MB/s", "anyOf": [*bits["anyOf"], in_bytes]}


def shown(value: object) -> str:
    """A wrong value in a message: as it was written, and not endless."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)[:60]


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {shown(value)}")
    return value


def _goodput(value: object) -> float:
    """TCP payload is quoted in bytes as often as in bits: ``128MB/s`` and ``1.024Gbit`` are the same."""
    if isinstance(value, str) and value.rstrip().endswith("B/s"):
        return parse(value, Dimension.BYTE_RATE) * 8
    return read(value, Dimension.BIT_RATE)


Size: TypeAlias = Annotated[float, *quantity(Dimension.SIZE, most=MOST[Dimension.SIZE], above=True)]
LinkRate: TypeAlias = Annotated[float, *quantity(Dimension.BIT_RATE, most=MAX_RATE, above=True)]
Goodput: TypeAlias = Annotated[
    float,
    *quantity(Dimension.BIT_RATE, most=MAX_RATE, above=True, payload=True),
    WithJsonSchema(_goodput_schema()),
]
Time: TypeAlias = Annotated[float, *quantity(Dimension.TIME, most=LONG)]
LongerTime: TypeAlias = Annotated[float, *quantity(Dimension.TIME, most=LONG, above=True)]
Delay: TypeAlias = Annotated[float, *quantity(Dimension.TIME, most=10.0, bare=Bare(below=1.0))]
Share: TypeAlias = Annotated[float, *quantity(Dimension.NUMBER, most=1.0)]
Factor: TypeAlias = Annotated[float, *quantity(Dimension.NUMBER, least=1e-3, most=1e6)]
Times: TypeAlias = Annotated[float, *quantity(Dimension.NUMBER, most=1e6, above=True)]
Flag: TypeAlias = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
