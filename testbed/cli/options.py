"""What several commands are asked for in the same words."""

from testbed.core.agents.moments import PHASES, WHATS

FAULT_WORDS = f"{', '.join(PHASES)}; {', '.join(WHATS)}"


def overrides(set_: list[str] | None, policy: str | None, faults: list[str] | None = None) -> list[str]:
    """``--set``, ``--policy`` and ``--fault`` as changes to a scenario, ``PATH=VALUE`` each. Raises ``ScenarioError``
    for a fault that is none.
    """
    chosen = [f"migration.policy={policy}"] if policy else []
    return [*(set_ or []), *chosen, *([_faults(faults)] if faults else [])]


def _faults(given: list[str]) -> str:
    """All of them as one text: a list would be an axis of the matrix."""
    from testbed.core.errors import ScenarioError
    from testbed.scenario.words import faults

    try:
        return f"faults={', '.join(str(each) for each in faults(given))}"
    except ValueError as fault:
        raise ScenarioError(str(fault), f"--fault {' --fault '.join(given):.100}") from fault
