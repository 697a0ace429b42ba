"""``list``: names that a scenario may use, one line each."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from testbed import scenarios
from testbed.scenarios import catalogue


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
        sys.stdout.writelines(f"{indent}{name:{width}}  {line}".rstrip() + "\n" for name, line in rows.items())


def _rows(kind: Kind) -> dict[str, str]:
    match kind:
        case Kind.SCENARIOS:
            return {name: scenarios.title_of(name) for name in scenarios.names()}
        case Kind.TOPOLOGIES:
            return catalogue.topologies()
        case _:
            return catalogue.registered(PACKAGES[kind])
