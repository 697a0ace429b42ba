"""A lab's files with a student's numbers in them, by Jinja: sandboxed, and a name that there is not is an error."""

import math
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.environment import TemplateExpression
from jinja2.sandbox import SandboxedEnvironment

from testbed.core.errors import ScenarioError
from testbed.core.text.printable import printable

DIGITS = 6
"""Of a number that was reckoned: what a text says of it is what it is."""


def rendered(template: str, values: Mapping[str, Any], place: str) -> str:
    """The text with its values put in. Raises ``ScenarioError`` with file and line."""
    try:
        return _environment().from_string(template).render(values)
    except TemplateError as error:
        raise ScenarioError(_said(error), _line(place, getattr(error, "lineno", None))) from error
    except (ArithmeticError, TypeError, ValueError) as error:
        raise ScenarioError(f"cannot be filled in: {printable(str(error))}", place) from error


def evaluated(expression: str, values: Mapping[str, Any], place: str) -> Any:
    """What an expression comes to. Raises ``ScenarioError``."""
    try:
        value = _compiled(expression)(**values)
        if isinstance(value, StrictUndefined):
            str(value)  # raises what it is
        return value
    except TemplateError as error:
        raise ScenarioError(f"'{expression:.80}': {_said(error)}", place) from error
    except (ArithmeticError, TypeError, ValueError, AttributeError, NameError) as error:
        raise ScenarioError(f"'{expression:.80}' cannot be reckoned: {printable(str(error))}", place) from error


def tidy(value: float) -> float:
    """To so many digits as a text gives: a whole number is one."""
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


@lru_cache(256)
def _compiled(expression: str) -> TemplateExpression:
    return _environment().compile_expression(expression, undefined_to_none=False)


@cache
def _environment() -> SandboxedEnvironment:
    made = SandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True, finalize=_shown
    )
    made.globals.update(exp=math.exp, log=math.log, sqrt=math.sqrt, ceil=math.ceil, floor=math.floor)
    made.globals.update(min=min, max=max, round=round, abs=abs, int=int, float=float, len=len, sum=sum, pow=pow)
    return made


def _shown(value: Any) -> Any:
    return tidy(value) if isinstance(value, float) and math.isfinite(value) else value


def _said(error: TemplateError) -> str:
    return printable(error.message or type(error).__name__)


def _line(place: str, line: int | None) -> str:
    return f"{place}:{line}" if line else place
