"""The matrix of a scenario, one migration after the other, into a run folder."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from testbed.core.errors import Interrupted, PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.events import Observer
from testbed.core.plan import Plan
from testbed.core.records.lab import LabRecord
from testbed.core.records.migration import Summary
from testbed.engines import Engine, registry
from testbed.engines.forecasting import outlook
from testbed.experiment.composition import Audience, Composition, composed
from testbed.experiment.machine import slow_here
from testbed.experiment.records import begun, failed
from testbed.rig.orders import Orders
from testbed.scenario import Scenario


def run_scenario(  # noqa: PLR0913 - what a run is asked for
    scenario: Scenario,
    *,
    out: Path,
    repeat: int = 1,
    seed: int | None = None,
    engine: str = "native",
    capture: bool = False,
    controls: Orders | None = None,
    observer: Observer = lambda _event: None,
    say: Callable[[str], None] = lambda _line: None,
    lab: LabRecord | None = None,
    page: bool = True,
    plans: Sequence[Plan] = (),
    wait: bool = False,
) -> Summary:
    """Runs every migration of the matrix, ``repeat`` times each, and writes the run folder ``out``. With ``plans`` it
    runs those, which were made of this scenario's.

    Raises ``PrerequisiteMissing``, ``MachineBusy`` and ``ScenarioError``. A run that cannot go on, or is interrupted,
    has its files written for what was done, and raises ``Interrupted`` or the fault after that. ``say`` is given a
    line when this machine is slow for it, and when the page could not be drawn, which are no reasons to fail a run.
    ``capture``: packets are kept too; ``controls``: where orders by hand come from. ``lab``: whose run it is; ``page``
    False: none is drawn. ``wait``: where another run holds the machine, for its end, and not raise ``MachineBusy``.
    """
    chosen = registry.get(engine)()
    if capture and not chosen.needs_machine:
        raise ScenarioError(f"engine '{engine}' sends no packets; leave out --capture, or choose --engine native")
    plans = plans or scenario.plans(repeat=repeat)
    for plan in plans:
        chosen.check(plan)
    first = plans[0].seed if seed is None else seed
    summary = begun(scenario.name, engine, first, native=chosen.needs_machine, lab=lab)
    audience = Audience(observer)
    with composed(
        scenario,
        plans,
        out=out,
        summary=summary,
        lock=scenario.name if chosen.needs_machine else None,
        asked=plans,
        observer=audience,
        say=say,
        page=page,
        wait=wait,
    ) as composition:
        if chosen.needs_machine:
            summary.warnings += slow_here(plans)
            for line in summary.warnings:
                say(line)
        context = replace(composition.context, capture=capture, controls=controls or composition.context.controls)
        _migrate_all(plans, chosen, replace(composition, context=context), audience)
    return summary


def _migrate_all(plans: Sequence[Plan], engine: Engine, run: Composition, audience: Audience) -> None:
    """One after the other. A migration that fails never ends the rest; a machine or scenario that is wrong does, and a
    folder that cannot be written.
    """
    for index, (plan, expected) in enumerate(zip(plans, outlook(plans), strict=True), 1):
        context = run.begin(plan, index=index, total=len(plans), expected=expected)
        try:
            record = engine.migrate(plan, context)
        except (PrerequisiteMissing, ScenarioError):
            raise
        except (TestbedError, OSError) as fault:  # a host's shell that was killed
            record = failed(plan, str(fault))
        run.end(record)
        audience.check()
        if record.interrupted or context.noted.why:
            raise Interrupted(context.noted.why or "interrupted")
