"""``run``: a scenario on real hosts, links and memory, into a folder of results."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testbed import scenarios
from testbed.cli.options import FAULT_WORDS, TrustNothing, overrides, own_code, policy_names, scenario_names
from testbed.core.errors import Interrupted, ScenarioError, TestbedError

if TYPE_CHECKING:
    from testbed.core.records.migration import Summary

DEFAULTS = ("fast-motion", "hello")
"""What runs without a name: the first of these that there is."""
LIVE_PORT = 8080


def run(  # noqa: PLR0913, PLR0917 - the options of the command line
    scenario: Annotated[
        str | None, typer.Argument(help="name or file; see: testbed list scenarios", autocompletion=scenario_names)
    ] = None,
    engine: Annotated[str | None, typer.Option(help="native or simulated; default: as the scenario says")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="change a key")] = None,
    policy: Annotated[
        str | None, typer.Option(help="a policy by name, or a file of your own: ./mine.py", autocompletion=policy_names)
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="PHASE:WHAT", help=f"break it there, may be repeated: {FAULT_WORDS}")
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, max=1000, help="make each migration so many times")] = 1,
    seed: Annotated[int | None, typer.Option(min=0, help="what all randomness begins from")] = None,
    out: Annotated[Path | None, typer.Option(help="folder of results; default: results/SCENARIO-TIME")] = None,
    capture: Annotated[
        bool, typer.Option("--capture", help="keep the packets of each migration: a pcapng in the run folder")
    ] = False,
    live: Annotated[
        int | None,
        typer.Option(metavar="[PORT]", min=0, max=65535, help="a page in the browser meanwhile; default port: 8080"),
    ] = None,
    live_host: Annotated[str | None, typer.Option(help="the live page's address; default: 127.0.0.1")] = None,
    no_page: Annotated[
        bool, typer.Option("--no-page", help="draw no report.html; testbed report draws it when it is wanted")
    ] = False,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="where another run holds the machine, wait for its end, and do not exit with 4"),
    ] = False,
    trust_nothing: TrustNothing = False,
    json: Annotated[bool, typer.Option("--json", help="the summary on stdout, and nothing else there")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress and no tables")] = False,
) -> int:
    """Run a scenario: every migration of its matrix, every byte proved.

    Example: testbed run hello --set vm.ram=1GiB
    """
    from testbed.cli.live_page import live_page
    from testbed.cli.progress import watching
    from testbed.experiment.run import run_scenario
    from testbed.rig.orders import Orders
    from testbed.runfiles.folder import results_folder
    from testbed.scenario import load

    loaded = load(
        scenario or default_scenario(),
        overrides=overrides(set_, policy, fault),
        seed=seed,
        own_code=own_code(trust_nothing),
    )
    engine = engine or loaded.engine
    _prepare(engine, live, live_host)
    title = f"{loaded.name}: {loaded.title}".removesuffix(": ")
    controls = Orders()
    with (
        results_folder(loaded.name, out) as folder,
        _named(folder),
        live_page(title, folder, live_host, live, controls, {"scenario": loaded.name, "engine": engine}) as page,
        watching(quiet, f"{loaded.name}: {loaded.title}") as observer,
    ):
        summary = run_scenario(
            loaded,
            out=folder,
            repeat=repeat,
            seed=seed,
            engine=engine,
            capture=capture,
            controls=controls,
            observer=page.beside(observer),
            say=lambda line: print(line, file=sys.stderr),
            page=not no_page,
            wait=wait,
        )
        page.ended(summary.valid)
    return _concluded(summary, folder, json, quiet)


def _prepare(engine: str, port: int | None, host: str | None) -> None:
    """Refuses what cannot be, and becomes root where the engine needs hosts."""
    from testbed.engines import registry as engines
    from testbed.experiment.rootless import become_root

    needs_machine = engines.get(engine).needs_machine  # so that a wrong name is all that is said
    _check_live(port, host, None if needs_machine else engine)
    become_root(needed=needs_machine)


def _check_live(port: int | None, host: str | None, quick: str | None) -> None:
    """``quick``: the name of an engine that is over before a browser could ask. Raises ``ScenarioError``."""
    if port is not None and quick is not None:
        raise ScenarioError(f"engine '{quick}' is over before a page is open; leave out --live")
    if port is None and host is not None:
        raise ScenarioError("--live-host says where --live is; add --live")


def _concluded(summary: "Summary", folder: Path, json: bool, quiet: bool) -> int:
    """The exit code of a run that has ended; what came out is told as it was asked for."""
    from testbed.report.words import summary as text
    from testbed.runfiles.folder import to_json

    if json:
        sys.stdout.write(to_json(summary))
    if not quiet:
        text.show(summary, folder)
    elif not summary.valid:
        print(f"testbed: {text.why_not(summary)}; results: {folder}", file=sys.stderr)
    return 0 if summary.valid else TestbedError.exit_code


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Whoever ends a run is told where its files are, whenever it was."""
    try:
        yield
    except Interrupted as stop:
        if str(folder) in str(stop) or not (folder / "summary.json").exists():
            raise
        raise Interrupted(f"{stop}; the files are in {folder}") from stop


def default_scenario() -> str:
    """The scenario that runs when none is named."""
    return next(name for name in DEFAULTS if name in scenarios.names())
