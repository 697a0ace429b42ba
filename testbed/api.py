"""The testbed from Python: run a scenario or load a run's folder, have its figures and charts; predict, and compare.

import testbed
run = testbed.run("hello", set={"vm.ram": "512MB"}, engine="simulated")
run.migrations[0].downtime_s
run.samples["link"]["tx_bytes"]          # arrays, one entry a sample
run.frame("link", pandas.DataFrame)      # or any other that takes a dict of arrays
run.charts["timeline-hello"]             # shows itself in a notebook
testbed.predict("hello").migrations[0].total_time_s
print(testbed.compare("results/a", "results/b"))
"""

import os
from collections.abc import Callable, Mapping, Sequence
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from testbed.core.errors import Interrupted, ScenarioError
from testbed.core.events import Event, Observer
from testbed.outcomes import Compared, Predictions, Run
from testbed.report.words import lines
from testbed.runfiles.folder import results_folder

if TYPE_CHECKING:
    from testbed.scenario import Scenario
    from testbed.scenario.matrix.overrides import Setting

Settings: TypeAlias = Mapping[str, Any] | str | Sequence[str]
"""``{"vm.ram": "1GiB"}``, ``"vm.ram=1GiB"``, or several of these texts. In a mapping a value is a value: a number
(numpy's too), a path, a title with a ``#`` in it, a list for an axis of the matrix, a mapping for a workload.
"""


class Stopped(Interrupted, KeyboardInterrupt):
    """Ctrl-C during ``run``: to a notebook it is one, and it says where the files of what was done are."""


def run(  # noqa: PLR0913 - what a run is asked for
    scenario: str | Path = "hello",
    *,
    set: Settings = (),
    engine: str | None = None,
    repeat: int = 1,
    seed: int | None = None,
    out: str | Path | None = None,
    quiet: bool = True,
    page: bool = True,
    observer: Observer | None = None,
    say: Callable[[str], None] | None = None,
) -> Run:
    """Runs a scenario, by name or file, as ``testbed run`` does.

    ``set``: ``{"vm.ram": "1GiB"}``, or ``"vm.ram=1GiB"``, or several of these. ``quiet=False``: the command's lines on
    stderr meanwhile. ``page=False``: no page is drawn (``Run.write_page`` does it). ``observer`` is given each event
    (``testbed.core.events``), from any thread; ``say`` a line if the page could not be drawn. The native engine needs
    the machine to itself; without root a process of its own enters namespaces for it (docs/without-root.md). Raises
    what the command would say in one line (``testbed.core.errors``), ``Stopped`` on Ctrl-C; a run that is not valid is
    returned, and says so.
    """
    from testbed.engines import registry as engines
    from testbed.experiment.apart import run_apart
    from testbed.experiment.messages import RunWanted
    from testbed.experiment.run import run_scenario

    repeat, seed = index(repeat), None if seed is None else index(seed)
    if repeat < 1:
        raise ScenarioError(f"repeat is at least 1, not {repeat}")
    loaded = _loaded(scenario, set, seed)
    observers = [each for each in (observer, None if quiet else _plain(loaded)) if each]

    def observe(event: Event) -> None:
        for each in observers:
            each(event)

    line = say or (_ignore if quiet else lines.say)
    chosen = engine or loaded.engine
    with results_folder(loaded.name, Path(out) if out else None) as folder:
        try:
            if engines.get(chosen).needs_machine and os.geteuid() != 0:
                wanted = RunWanted(
                    scenario=str(scenario),
                    overrides=_overrides(set),
                    engine=chosen,
                    repeat=repeat,
                    seed=seed,
                    out=folder,
                    page=page,
                )
                run_apart(wanted, observe, line)
            else:
                run_scenario(
                    loaded, out=folder, repeat=repeat, seed=seed, engine=chosen, page=page, observer=observe, say=line
                )
        except (Interrupted, KeyboardInterrupt) as stop:
            there = (folder / "summary.json").exists()
            where = f"the files of what was done are in {folder}" if there else "nothing was done"
            raise Stopped(str(stop) if str(folder) in str(stop) else f"interrupted; {where}") from stop
        return Run(folder)


def load(path: str | Path) -> Run:
    """The run in a folder. Raises ``ScenarioError`` if there is none."""
    return Run(path)


def predict(scenario: str | Path = "hello", *, set: Settings = (), seed: int | None = None) -> Predictions:
    """What a scenario's migrations will do, as ``testbed predict`` says it; needs no root. Raises ``ScenarioError``."""
    from testbed.report.words import forecasts

    loaded = _loaded(scenario, set, seed)
    return Predictions(loaded, [forecasts.predicted(plan) for plan in loaded.plans()])


def compare(*runs: Run | str | Path, anyway: bool = False) -> Compared:
    """Runs, or their folders, side by side, as ``testbed compare`` does it. Raises ``ScenarioError`` for what cannot be
    compared; ``anyway`` compares what should not be.
    """
    from testbed.report.side import comparison

    paths = [each.path if isinstance(each, Run) else Path(each) for each in runs]
    if not paths:
        raise ScenarioError("there is nothing to compare: no run was given")
    return Compared(comparison.laid(paths, anyway=anyway, option="anyway=True"))


def _loaded(scenario: str | Path, given: Settings, seed: int | None) -> "Scenario":
    from testbed.scenario import load as load_scenario

    number = None if seed is None else index(seed)
    return load_scenario(scenario, overrides=_overrides(given), seed=number, own_code=lines.own_code)


def _overrides(given: Settings) -> list["Setting"]:
    """Texts as the command line has them, but for titles and names; all other values as they are."""
    from testbed.scenario.matrix.overrides import TEXTS

    if isinstance(given, str):
        return [given]
    if not isinstance(given, Mapping):
        return list(given)
    return [
        f"{path}={str.__str__(value)}" if isinstance(value, str) and path not in TEXTS else (path, value)
        for path, value in given.items()
    ]


def _plain(loaded: "Scenario") -> Observer:
    """The command's lines, where stderr is no terminal."""
    lines.say(f"{loaded.name}: {loaded.title}")
    return lines.Plain()


def _ignore(_line: str) -> None:
    """Nobody is told."""
