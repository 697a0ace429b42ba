"""``list``: names that a scenario may use, one line each."""

import inspect
import shutil
import sys
from enum import StrEnum
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

import typer

from testbed import scenarios
from testbed.core.errors import ScenarioError
from testbed.core.names import catalogue
from testbed.core.text.nearest import nearest
from testbed.core.units import Dimension

if TYPE_CHECKING:
    from testbed.core.parameters import Parameter

LEAST_ROOM = 16
"""Columns for words beside their name; where there are fewer they stand below it."""
INDENT = 4


class Kind(StrEnum):
    """What there is to list."""

    SCENARIOS = "scenarios"
    POLICIES = "policies"
    WORKLOADS = "workloads"
    SERVICES = "services"
    THROTTLES = "throttles"
    TOPOLOGIES = "topologies"
    ENGINES = "engines"


PACKAGES = {
    Kind.POLICIES: "testbed.policies",
    Kind.WORKLOADS: "guest_agent.workloads",
    Kind.SERVICES: "guest_agent.services",
    Kind.THROTTLES: "testbed.throttles",
    Kind.ENGINES: "testbed.engines",
}


def _known(context: typer.Context, incomplete: str) -> list[str]:
    """What completion offers for a name: those of the kind that stands before it."""
    known = context.params.get("kind")
    return [name for name in _rows(Kind(known)) if name.startswith(incomplete)] if known else []


def list_names(
    kind: Annotated[Kind | None, typer.Argument(help="one kind only")] = None,
    name: Annotated[str | None, typer.Argument(help="one of them, with its parameters", autocompletion=_known)] = None,
) -> None:
    """List what there is: scenarios, policies, workloads, services, throttles, topologies, engines.

    Scenarios stand in the order of learning, with their level, minutes by the model, and the memory that they need.

    With a name: what it does, and its parameters with their defaults and what they count.

    Example: testbed list policies vmotion
    """
    if kind and name:
        _tell(kind, name)
        return
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


def _tell(kind: Kind, name: str) -> None:
    """One of them: its line, what its class says, a line a parameter. Raises ``ScenarioError``."""
    rows = _rows(kind)
    if name not in rows:
        raise ScenarioError(f"{kind.value} has no '{name:.60}'; {nearest(name[:60], list(rows))}", "list")
    sys.stdout.write(_line(f"{name}  ", rows[name]))
    if kind in (Kind.POLICIES, Kind.WORKLOADS, Kind.SERVICES):
        _tell_parameters(PACKAGES[kind], name)


def _tell_parameters(package: str, name: str) -> None:
    """What its class says, and of each parameter its default and what it counts, as a scenario writes them."""
    from testbed.core.parameters import parameters_of
    from testbed.scenario.schema.named_schema import default_of, registries

    entry = next(each for each in registries() if each.package == package).get(name)
    sys.stdout.write(f"\n{inspect.getdoc(entry) or ''}\n")
    known = parameters_of(entry)
    rows = [("parameter", "default", "")] if known else []
    for each in known.values():
        default = "required" if each.required else "none" if each.default is None else str(default_of(each))
        rows.append((each.name, default, " | ".join(each.words) or _counts(each)))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)] if rows else []
    sys.stdout.write("\n" if rows else "\nIt has no parameters.\n")
    for first, second, counts in rows:
        sys.stdout.write(f"{first:{widths[0]}}  {second:{widths[1]}}  {counts}".rstrip() + "\n")


def _cost(place: scenarios.LearningStep) -> str:
    return f"{place.level:7}  {place.minutes:3.1f} min  {place.memory_gb:3.1f} GB"


def _counts(parameter: "Parameter") -> str:
    if parameter.dimension is Dimension.NUMBER and parameter.kind is int:
        return "a whole number"
    return parameter.dimension.value if parameter.dimension else ""


def _rows(kind: Kind) -> dict[str, str]:
    match kind:
        case Kind.SCENARIOS:
            return {each.name: f"{_cost(each)}  {scenarios.title_of(each.name)}" for each in scenarios.in_order()}
        case Kind.TOPOLOGIES:
            return catalogue.topologies()
        case _:
            return catalogue.registered(PACKAGES[kind])
