"""The kinds of value a scenario's key may have: read from text with units, bounded, and written back."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from testbed.core.registry import nearest
from testbed.core.units import Dimension, parse, written
from testbed.scenario.document import as_yaml

DAY = 86400.0


def quantity(dimension: Dimension, *, least: float = 0.0, most: float, above: bool = False) -> tuple[Any, ...]:
    """The pydantic parts of a quantity between ``least`` (``above``: more than it) and ``most``, in base units."""

    def read(value: object) -> float:
        number = parse(value, dimension)
        if number < least or number > most or (above and number == least):
            low = f"more than {written(least, dimension)}" if above else f"at least {written(least, dimension)}"
            raise ValueError(f"must be {low} and at most {written(most, dimension)}, not {value}")
        return number

    schema = {"type": ["string", "number"], "description": dimension.value}
    return BeforeValidator(read), PlainSerializer(lambda value: as_yaml(value, dimension)), WithJsonSchema(schema)


def whole(least: int, most: int) -> tuple[Any, ...]:
    """The pydantic parts of a whole number."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, not {value!r}")
        return value

    return BeforeValidator(read), WithJsonSchema({"type": "integer", "minimum": least, "maximum": most})


def one_of(what: str, words: Callable[[], Iterable[str]]) -> tuple[Any, ...]:
    """The pydantic parts of a word out of ``words``, with the nearest right one for a wrong one."""

    def read(value: object) -> str:
        known = list(words())
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"no {what} is called {value!r}; {nearest(str(value)[:60], known)}")
        return value

    return BeforeValidator(read), WithJsonSchema({"type": "string", "description": f"a {what}"})


def text(longest: int) -> tuple[Any, ...]:
    """The pydantic parts of one line of text."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"must be text, not {value!r}; put quotes around it")
        if not value.isprintable() or len(value) > longest:
            raise ValueError(f"must be one line of at most {longest} characters")
        return value

    return BeforeValidator(read), WithJsonSchema({"type": "string", "maxLength": longest})


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {value!r}")
    return value


def _goodput(value: object) -> float:
    """TCP payload is quoted in bytes as often as in bits: ``128MB/s`` and ``1.024Gbit`` are the same."""
    if isinstance(value, str) and value.rstrip().endswith("B/s"):
        return parse(value, Dimension.BYTE_RATE) * 8
    return parse(value, Dimension.BIT_RATE)


MAX_RATE = 100e12
"""bit/s; more than any link has."""

Size: TypeAlias = Annotated[float, *quantity(Dimension.SIZE, most=2**46, above=True)]
LinkRate: TypeAlias = Annotated[float, *quantity(Dimension.BIT_RATE, most=MAX_RATE, above=True)]
Goodput: TypeAlias = Annotated[
    float, *quantity(Dimension.BIT_RATE, most=MAX_RATE, above=True), BeforeValidator(_goodput)
]
Time: TypeAlias = Annotated[float, *quantity(Dimension.TIME, most=30 * DAY)]
LongerTime: TypeAlias = Annotated[float, *quantity(Dimension.TIME, most=30 * DAY, above=True)]
Delay: TypeAlias = Annotated[float, *quantity(Dimension.TIME, most=10.0)]
Share: TypeAlias = Annotated[float, *quantity(Dimension.NUMBER, most=1.0)]
Factor: TypeAlias = Annotated[float, *quantity(Dimension.NUMBER, least=1e-3, most=1e6)]
Times: TypeAlias = Annotated[float, *quantity(Dimension.NUMBER, most=1e6, above=True)]
Flag: TypeAlias = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
