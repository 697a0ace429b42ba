"""One agreement: two things that a record says and that have to fit, and whether they do."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias

State: TypeAlias = Literal["held", "not held", "not known"]
MOST_SAID = 3
"""Sentences of what does not fit that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """``why``: what was held against what; or what does not fit; or what is missing to know it."""

    name: str
    state: State
    why: str


def settled(name: str, held: str, wrong: Iterable[str]) -> Agreement:
    """Held, and what was compared, unless something is ``wrong``."""
    found = list(wrong)
    if not found:
        return Agreement(name=name, state="held", why=held)
    more = [f"and {len(found) - MOST_SAID} more"] if len(found) > MOST_SAID else []
    return Agreement(name=name, state="not held", why="; ".join([*islice(found, MOST_SAID), *more]))


def not_known(name: str, why: str) -> Agreement:
    """The agreement ``name`` cannot be settled, and ``why``."""
    return Agreement(name=name, state="not known", why=why)
