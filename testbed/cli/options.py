"""What several commands are asked for in the same words."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from testbed.core.agents.phases import PHASES, WHATS
from testbed.core.errors import ScenarioError
from testbed.core.text.printable import printable

TrustNothing: TypeAlias = Annotated[
    bool, typer.Option("--trust-nothing", help="refuse a scenario that runs code of its own")
]
FAULT_WORDS = f"{', '.join(PHASES)}; {', '.join(WHATS)}"


def overrides(set_: list[str] | None, policy: str | None, faults: list[str] | None = None) -> list[str]:
    """``--set``, ``--policy`` and ``--fault`` as changes to a scenario, ``PATH=VALUE`` each. Raises ``ScenarioError``
    for a fault that is none.
    """
    chosen = [f"migration.policy={policy}"] if policy else []
    return [*(set_ or []), *chosen, *([_faults(faults)] if faults else [])]


def _faults(given: list[str]) -> str:
    """All of them as one text: a list would be an axis of the matrix."""
    from testbed.scenario.words import faults

    try:
        return f"faults={', '.join(str(each) for each in faults(given))}"
    except ValueError as fault:
        raise ScenarioError(str(fault), f"--fault {' --fault '.join(given):.100}") from fault


def own_code(trust_nothing: bool) -> Callable[[Path], None]:
    """What is done about each file of code that a scenario names, before it is run: it is said, or refused."""
    from testbed.report.words import lines

    return _refused if trust_nothing else lines.own_code


def _refused(file: Path) -> None:
    """Raises ``ScenarioError``."""
    said = "is code, which this scenario would run with your rights; --trust-nothing refuses it"
    raise ScenarioError(said, printable(str(file)))
