"""What several commands are asked for in the same words."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from testbed import scenarios
from testbed.core.agents.phases import PHASES, WHATS
from testbed.core.errors import ScenarioError
from testbed.core.text.printable import printable

TrustNothing: TypeAlias = Annotated[
    bool, typer.Option("--trust-nothing", help="refuse a scenario that runs code of its own")
]
RESULTS = "results"
"""The folder that runs lie in where nobody names one."""
MOST_OFFERED = 200
"""Files or folders that completion offers."""
FAULT_WORDS = f"{', '.join(PHASES)}; {', '.join(WHATS)}"


def scenario_names(incomplete: str) -> list[str]:
    """What completion offers for a scenario: those that come with the testbed, and files."""
    return [name for name in scenarios.names() if name.startswith(incomplete)] + _there(incomplete, _is_scenario)


def policy_names(incomplete: str) -> list[str]:
    """What completion offers for a policy: ours, and files of one's own."""
    from testbed.core.names.catalogue import registered

    ours = [name for name in registered("testbed.policies") if name.startswith(incomplete)]
    return ours + _there(incomplete, lambda path: path.suffix == ".py")


def run_folders(incomplete: str) -> list[str]:
    """What completion offers for a run: its folders here and in ``results``, the latest first."""
    latest = sorted(_there(f"{RESULTS}/", _is_run), reverse=True)
    return list(
        dict.fromkeys([*_there(incomplete, _is_run), *(name for name in latest if name.startswith(incomplete))])
    )


def _is_scenario(path: Path) -> bool:
    return path.suffix in (".yaml", ".yml")


def _is_run(path: Path) -> bool:
    return (path / "summary.json").is_file()


def _there(begun: str, wanted: Callable[[Path], bool]) -> list[str]:
    """The names that go on from these letters and are wanted; a path within the folder stays one: ``./mine.yaml``."""
    above, _, start = begun.rpartition("/")
    folder = f"{above}/" if above or begun.startswith("/") else ""
    try:
        names = sorted(
            path.name for path in Path(folder or ".").iterdir() if path.name.startswith(start) and wanted(path)
        )
    except OSError:
        return []
    return [f"{folder}{name}" for name in names[:MOST_OFFERED]]


def overrides(set_: list[str] | None, policy: str | None, faults: list[str] | None = None) -> list[str]:
    """``--set``, ``--policy`` and ``--fault`` as changes to a scenario, ``PATH=VALUE`` each. Raises ``ScenarioError``
    for a fault that is none.
    """
    changes = list(set_ or [])
    if policy:  # it has the last word on which policy, and what is set of it is set of that one
        of_it = [each for each in changes if each.lstrip().startswith("migration.policy.")]
        changes = [*(each for each in changes if each not in of_it), f"migration.policy={policy}", *of_it]
    return [*changes, *([_faults(faults)] if faults else [])]


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
