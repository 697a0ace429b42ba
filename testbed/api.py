"""The testbed from Python: run a scenario or load a run's folder, have its figures and charts; predict, compare, sweep.

import testbed
run = testbed.run("hello", set={"vm.ram": "512MB"}, engine="simulated")
run.migrations[0].downtime_s
run.samples["link"]["tx_bytes"]          # arrays, one entry a sample
run.frame("link", pandas.DataFrame)      # or any other that takes a dict of arrays
run.charts["timeline-hello"]             # shows itself in a notebook
testbed.predict("hello").migrations[0].total_time_s
run.table("rounds")                      # columns that pandas.DataFrame and polars.DataFrame take
print(testbed.compare("results/a", "results/b"))
testbed.sweep("hello", axes={"vm.ram": ["1GiB", "2GiB"]}, repeats=5, engine="simulated").table()
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from testbed.core.errors import Interrupted, ScenarioError
from testbed.core.events import Event, Observer
from testbed.outcomes.compared import Compared
from testbed.outcomes.predictions import Predictions
from testbed.outcomes.run import Run
from testbed.report.words import lines
from testbed.runfiles.folder import results_folder

if TYPE_CHECKING:
    from testbed.outcomes.swept import Swept
    from testbed.scenario import Scenario
    from testbed.scenario.matrix.overrides import Setting
    from testbed.sweeps.asked import GridGiven
    from testbed.sweeps.conduct import SweepProgress

Settings: TypeAlias = Mapping[str, Any] | str | Sequence[str]
"""``{"vm.ram": "1GiB"}``, ``"vm.ram=1GiB"``, or several of these texts. In a mapping a value is a value: a number
(numpy's too), a path, a title with a ``#`` in it, a list for an axis of the matrix, a mapping for a workload.
"""


class Stopped(Interrupted, KeyboardInterrupt):
    """Ctrl-C during ``run`` or ``sweep``: to a notebook it is one, and it says where the files of what was done are."""


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

    The native engine needs the machine to itself; without root a process of its own enters namespaces for it
    (docs/without-root.md). A run that is not valid is returned, and says so.

    Args:
        scenario: a name of ``testbed list scenarios``, or a file.
        set: ``{"vm.ram": "1GiB"}``, or ``"vm.ram=1GiB"``, or several of these; a list is an axis of the matrix.
        engine: ``"native"`` or ``"simulated"``; else the scenario's.
        repeat: how often each migration is made; its seed rises by one each time.
        seed: of the first repeat; else the scenario's.
        out: the run's folder; else one of a new name below ``results``.
        quiet: False has the command's lines on stderr meanwhile.
        page: False draws none; ``Run.write_page`` does it later.
        observer: is given each event (``testbed.core.events``), from any thread.
        say: is given a line when the page could not be drawn.

    Returns:
        The run, read from its folder.

    Raises:
        ScenarioError: what is asked for cannot be; file, line, and what was expected.
        PrerequisiteMissing: this machine lacks something; what, and what mends it.
        MachineBusy: another run holds it.
        Stopped: Ctrl-C; a ``KeyboardInterrupt`` that names the folder of what was done.

    Example:
        >>> run = testbed.run("hello", engine="simulated", set={"vm.ram": "512MB"}, out="results/mine", page=False)
        >>> len(run.migrations[0].rounds)
        4
    """
    from testbed.engines import registry as engines
    from testbed.experiment.apart import run_apart
    from testbed.experiment.messages import RunWanted
    from testbed.experiment.run import run_scenario
    from testbed.scenario.quantities import asked_whole

    repeat, seed = asked_whole("repeat", repeat, 1), None if seed is None else asked_whole("seed", seed)
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
    """The run in a folder.

    Args:
        path: the folder.

    Returns:
        The run. Its samples, pages and charts are read when asked for.

    Raises:
        ScenarioError: no run lies there, or one that cannot be read.

    Example:
        >>> testbed.load("results/hello-20260101-120000")
        <Run hello: 1 migrations, valid, in results/hello-20260101-120000>
    """
    return Run(path)


def predict(scenario: str | Path = "hello", *, set: Settings = (), seed: int | None = None) -> Predictions:
    """What a scenario's migrations will do, as ``testbed predict`` says it; needs no root.

    Args:
        scenario: a name of ``testbed list scenarios``, or a file.
        set: as in ``run``.
        seed: what chance begins from; else the scenario's.

    Returns:
        Figures and rounds, closed forms, and which links and goals would do.

    Raises:
        ScenarioError: what is asked for cannot be, or has no model.
        PolicyFault: a policy of your own breaks.

    Example:
        >>> testbed.predict("hello").migrations[0].outcome
        'completed'
    """
    from testbed.report.words import forecasts

    loaded = _loaded(scenario, set, seed)
    return Predictions(loaded, [forecasts.predicted(plan) for plan in loaded.plans()])


def compare(*runs: Run | str | Path, anyway: bool = False, paired: bool = True) -> Compared:
    """Lays runs, or their folders, side by side, as ``testbed compare`` does it.

    Groups of the same seeds are compared by pairs, others by Welch's t; whether a figure differs is said after Holm's
    correction over all figures (docs/report.md).

    Args:
        runs: those of one scenario are repeats of one another. Of a single one its matrix's settings are compared.
        anyway: compares what should not be, and says why it should not.
        paired: False takes no pairs, whatever the seeds.

    Returns:
        A line a figure of each group, with medians, intervals and a verdict; charts; a page.

    Raises:
        ScenarioError: what is no run, is there twice, or cannot be compared.

    Example:
        >>> print(testbed.compare("results/a", "results/b").data["lines"][0]["figure"])
        total_time_s
    """
    from testbed.report.side import comparison

    paths = [each.path if isinstance(each, Run) else Path(each) for each in runs]
    if not paths:
        raise ScenarioError("there is nothing to compare: no run was given")
    return Compared(comparison.laid(paths, anyway=anyway, option="anyway=True", paired=paired))


def sweep(  # noqa: PLR0913 - what a sweep is asked for
    grid: "GridGiven",
    *,
    axes: Mapping[str, Any] | None = None,
    set: Settings = (),
    engine: str | None = None,
    out: str | Path | None = None,
    repeats: int | None = None,
    until_ci: str | float | Mapping[str, Any] | None = None,
    order_seed: int | None = None,
    canary: str | Mapping[str, Any] | None = None,
    jobs: int | None = None,
    limit: int | None = None,
    progress: bool | Callable[["SweepProgress"], None] = False,
    say: Callable[[str], None] | None = None,
) -> "Swept":
    """Makes every combination of some axes, repeated and shuffled, as ``testbed sweep`` does (docs/sweep.md). What is
    there is done: the same call goes on where it was. Points that are not valid or were refused are returned, too.

    Args:
        grid: the name or file of a scenario, with a ``sweep`` or without; a mapping as such a file has it; a scenario.
        axes: ``{"vm.ram": ["1GiB", "2GiB"]}``; here and below, what is given replaces the grid's own key.
        set: as in ``run``, in every point; a list is an axis of the matrix, which is what one point runs.
        engine: ``"native"`` or ``"simulated"``; else the grid's.
        out: the folder of all points; else ``results/NAME-sweep``.
        repeats: how often each point is made; each time with a seed of its own.
        until_ci: more repeats, until half the 95 % interval is that share of the mean: ``"5%"``, ``0.05``, a mapping.
        order_seed: shuffles the order.
        canary: a scenario that is made first and again and again, to see whether the machine is still the same.
        jobs: processes for simulated points; else one a processor.
        limit: makes at most so many; 0 reads what is there.
        progress: True tells on stderr how far it is; a function is given each step (``done``, ``total``, ``left_s``).
        say: is given a line for each point that is refused, and each canary that drifts.

    Returns:
        The points with their runs, tables, maps.

    Raises:
        ScenarioError: what is asked for cannot be.
        PrerequisiteMissing: this machine lacks something; what, and what mends it.
        MachineBusy: another sweep is under way in that folder.
        Stopped: Ctrl-C; what was made stays, and the same call goes on.

    Example:
        >>> axes = {"vm.workload.write_rate": ["12MB/s", "24MB/s"], "network.vmotion.goodput": ["500Mbit", "900Mbit"]}
        >>> swept = testbed.sweep("hello", axes=axes, engine="simulated", out="results/both", jobs=1)
        >>> swept
        <Swept hello: 4 of 4 points, all valid, in results/both>
        >>> len(swept.points[0].run.migrations), swept.table().rows
        (1, 4)
    """
    from testbed.outcomes.swept import Swept
    from testbed.scenario.quantities import asked_whole
    from testbed.sweeps import asked, shown, whole
    from testbed.sweeps.makers.local import local

    keys = {"axes": axes, "repeats": repeats, "until_ci": until_ci, "order_seed": order_seed, "canary": canary}
    loaded = asked.asked(grid, keys, _overrides(set), lines.own_code)
    line = say or (lines.say if progress is True else _ignore)
    told = progress if callable(progress) else shown.ShownProgress() if progress else _ignore
    most = None if limit is None else asked_whole("limit", limit, 0)
    points, folder = whole.prepared(loaded, engine, None if out is None else Path(out))
    makers = local(points.engine, folder, jobs, line, option="jobs")
    try:
        return Swept(whole.carried_out(points, folder, makers, limit=most, say=line, told=told))
    except (Interrupted, KeyboardInterrupt) as stop:
        raise Stopped(f"interrupted; what was made is in {folder.path}; the same call goes on") from stop


def _loaded(scenario: str | Path, given: Settings, seed: int | None) -> "Scenario":
    from testbed.scenario import load as load_scenario
    from testbed.scenario.quantities import asked_whole

    number = None if seed is None else asked_whole("seed", seed)
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


def _ignore(_told: Any) -> None:
    """Nobody is told."""
