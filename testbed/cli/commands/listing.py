"""``list``: names that a scenario may use, one line each."""

import shutil
import sys
from enum import StrEnum
from textwrap import wrap
from typing import Annotated

import typer

from testbed import scenarios
from testbed.core.names import catalogue

LEAST_ROOM = 16
"""Columns for words beside their name; where there are fewer they stand below it."""
INDENT = 4


class Kind(StrEnum):
    """What there is to list."""

    SCENARIOS = "scenarios"
    POLICIES = "policies"
    WORKLOADS = "workloads"
    SERVICES = "services"
    TOPOLOGIES = "topologies"
    ENGINES = "engines"


PACKAGES = {
    Kind.POLICIES: "testbed.policies",
    Kind.WORKLOADS: "guest_agent.workloads",
    Kind.SERVICES: "guest_agent.services",
    Kind.ENGINES: "testbed.engines",
}


def list_names(kind: Annotated[Kind | None, typer.Argument(help="one kind only")] = None) -> None:
    """List what there is: scenarios, policies, workloads, services, topologies, engines."""
    for each in [kind] if kind else list(Kind):
        if kind is None:
            sys.stdout.write(f"{each.value}\n")
        rows = _rows(each)
        width = max((len(name) for name in rows), default=0)
        indent = "" if kind else "  "
        sys.stdout.writelines(_line(f"{indent}{name:{width}}  ", line) for name, line in rows.items())


def _line(name: str, words: str) -> str:
    """One, or on a terminal as many as it takes, the words one below the other."""
    if not sys.stdout.isatty():
        return f"{name}{words}".rstrip() + "\n"
    columns = shutil.get_terminal_size().columns
    beside = columns - len(name) >= LEAST_ROOM
    indent = " " * (len(name) if beside else INDENT)
    lines = wrap(words, columns, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    first = name + lines.pop(0)[len(name) :] if beside and lines else name.rstrip()
    return "\n".join([first, *lines]) + "\n"


def _rows(kind: Kind) -> dict[str, str]:
    match kind:
        case Kind.SCENARIOS:
            return {name: scenarios.title_of(name) for name in scenarios.names()}
        case Kind.TOPOLOGIES:
            return catalogue.topologies()
        case _:
            return catalogue.registered(PACKAGES[kind])
