"""Which scenarios this machine can make now, and at what scale the others: memory, and processors that are tried."""

from collections.abc import Iterator
from dataclasses import dataclass

from testbed import scenarios
from testbed.core.errors import ScenarioError
from testbed.core.plan import Plan
from testbed.core.units import in_bytes
from testbed.fit.judging import Abilities, Fit
from testbed.fit.words import setting
from testbed.scenario import load


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRow:
    """A scenario of ours: what it needs, whether that fits, and what to write behind ``run`` where it does not."""

    scenario: str
    memory: str
    processors: str
    verdict: str
    fits_with: str


def plans() -> list[Plan]:
    """All migrations of all scenarios that come with the testbed."""
    return [plan for name in scenarios.names() for plan in load(name).plans()]


def rows(here: Abilities) -> Iterator[ScenarioRow]:
    """All scenarios that come with the testbed, held against a machine."""
    for name in scenarios.names():
        found = of(name, here)
        yield ScenarioRow(
            scenario=name,
            memory=in_bytes(found.needs.memory),
            processors=f"{found.cores:.2f}",
            verdict=found.verdict,
            fits_with=mended(name, found, here) or "",
        )


def of(name: str, here: Abilities, *overrides: str) -> Fit:
    """A scenario, so changed, held against a machine."""
    from testbed.experiment.machine import fitted

    return fitted(load(name, overrides=overrides).plans(), here)


def mended(name: str, found: Fit, here: Abilities) -> str | None:
    """What makes it fit, or fit better, once the scenario really has it; None: nothing does."""
    said = setting(found)
    if said is None:
        return None
    try:
        better = of(name, here, said.removeprefix("--set "))
    except ScenarioError:
        return None
    return said + ("" if better.verdict == "fits" else f" ({better.verdict})")


def told(here: Abilities) -> str:
    """In words: what scenarios were held against."""
    processors = f"{'at least ' if here.at_least else ''}{here.cores or 0:.2f}"
    got = "" if here.got is None else f", of which others leave {here.got:.2f}"
    return (
        f"{here.of} {in_bytes(here.memory)}, and {processors} processors of 3 GHz now{got} "
        "(asked for as a run asks, 0.2 s long)"
    )
