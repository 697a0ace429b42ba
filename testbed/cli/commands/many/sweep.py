"""``sweep``: every point of a grid, shuffled and repeated; what is there is done, so the same command goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testbed.cli.options import TrustNothing, own_code
from testbed.core.errors import ScenarioError, TestbedError

if TYPE_CHECKING:
    from testbed.sweeps.conduct import SweepProgress
    from testbed.sweeps.folder import SweepFolder
    from testbed.sweeps.makers.here import Makers
    from testbed.sweeps.points import Point, Points


def sweep(  # noqa: PLR0913, PLR0917 - the options of the command line
    grid: Annotated[Path, typer.Argument(help="a scenario's file with a sweep in it; see docs/sweep.md")],
    engine: Annotated[str | None, typer.Option(help="native or simulated; default: as the grid says")] = None,
    out: Annotated[Path | None, typer.Option(help="folder of all points; default: results/GRID-sweep")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="list the points, how long they take and how much room")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=256, help="processes for simulated points; default: one a processor")
    ] = None,
    point: Annotated[
        int | None, typer.Option(min=0, help="this one only, by its number from 0: for Slurm arrays, GNU parallel")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=0, help="make at most so many, then stop")] = None,
    on: Annotated[
        str | None, typer.Option(metavar="URL", help="the workers of a Dask scheduler: tls://HOST:PORT; default: here")
    ] = None,
    tls_ca: Annotated[Path | None, typer.Option("--tls-ca", help="the authority's certificate (PEM)")] = None,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", help="one's own certificate (PEM)")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="its key (PEM)")] = None,
    trust_nothing: TrustNothing = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress")] = False,
) -> int:
    """Make every point of a grid, shuffled and repeated, into one folder. The same command goes on where it was.

    Example: testbed sweep grid.yaml --engine simulated
    """
    from testbed.sweeps.grid import load
    from testbed.sweeps.makers.local import local
    from testbed.sweeps.whole import prepared

    loaded = load(grid, own_code(trust_nothing))
    points, folder = prepared(loaded, engine, out)
    if dry_run:
        return _listed(points)
    if point is not None:
        return _one(points, folder, point)
    if on is None:
        return _all(points, folder, local(points.engine, folder, jobs, _say), limit, quiet)
    if jobs is not None:
        raise ScenarioError("--jobs is for points that are made here; leave out --jobs, or --on")
    return _all(points, folder, _elsewhere(points, folder, on, tls_ca, tls_cert, tls_key), limit, quiet)


def _listed(points: "Points") -> int:
    """On stdout a line a point; on stderr what all of them take."""
    from testbed.core.units import in_bytes, in_seconds
    from testbed.sweeps.estimate import Estimate

    listed, estimate = points.listed(), Estimate(points.engine)
    for each in listed:
        print(f"{each.number}\t{each.id}\trepeat {each.repeat}\tseed {each.seed}\t{each.arm.name}")
    seconds = estimate.seconds(listed)
    long = "nobody knows how long" if seconds is None else f"about {in_seconds(seconds)}"
    more = "" if points.most() == len(listed) else f", up to {points.most()} for the interval's sake"
    room = in_bytes(estimate.size(listed))
    _say(f"{len(listed)} points{more}: {long} on one machine and core by the model, about {room}")
    return 0


def _one(points: "Points", folder: "SweepFolder", number: int) -> int:
    """One point, whoever else makes others beside it."""
    from testbed.sweeps.ended import VALID
    from testbed.sweeps.feed import unwanted
    from testbed.sweeps.makers.here import Here
    from testbed.sweeps.making import ended

    try:
        point = points.numbered(number)
    except IndexError:
        raise ScenarioError(f"there is no point {number}; they are numbered from 0 to {points.most() - 1}") from None
    folder.prepare()
    if folder.there(point.id, _say) is not None:
        _say(f"point {number} is there: {folder.points / point.id}")
        return 0
    if (missing := unwanted(points, point, lambda each: ended(each, folder.there(each.id, _say)))) is not None:
        return _not_now(point, missing)
    with Here(folder, _say) as here:
        here.give(points.wanted(point), "")
        made = here.take()
    if made.state != VALID:
        _say(f"point {number} ({point.arm.name}): {made.state}: {made.reason}")
        return TestbedError.exit_code
    print(folder.points / point.id)
    return 0


def _not_now(point: "Point", missing: "list[Point]") -> int:
    """Says why a point beyond the grid's ``repeats`` is not made."""
    if not missing:
        _say(f"point {point.number} is not needed: the interval of {point.arm.name} is as narrow as it is to be")
        return 0
    numbers = ", ".join(str(each.number) for each in missing)
    _say(f"whether point {point.number} is needed is not known before those of {point.arm.name} are there: {numbers}")
    return TestbedError.exit_code


def _all(
    points: "Points", folder: "SweepFolder", makers: Callable[[], "Makers"], limit: int | None, quiet: bool
) -> int:
    from testbed.engines import registry
    from testbed.sweeps.ended import LEFT, VALID
    from testbed.sweeps.shown import ShownProgress
    from testbed.sweeps.together.cost import cost_in_words
    from testbed.sweeps.whole import carried_out

    made = carried_out(points, folder, makers, limit=limit, say=_say, told=_ignored if quiet else ShownProgress())
    for name in made.files:
        print(folder.file(name))
    if made.cost is not None and not quiet:
        _say(cost_in_words(made.cost, native=registry.get(points.engine).needs_machine))
    known = made.state.points
    left = sum(each.state == LEFT for each in known)
    if left:
        _say(f"{left} of {len(known)} points are left; the same command goes on")
        return 0 if limit is not None else TestbedError.exit_code
    bad = [each for each in known if each.state != VALID]
    if bad:
        first = f"point {bad[0].number}: {bad[0].state}: {bad[0].reason}"
        _say(f"testbed: {len(bad)} of {len(known)} points are not valid; {first}")
    return TestbedError.exit_code if bad else 0


def _elsewhere(
    points: "Points", folder: "SweepFolder", url: str, ca: Path | None, cert: Path | None, key: Path | None
) -> Callable[[], "Makers"]:
    from testbed.engines import registry
    from testbed.sweeps.makers import safe
    from testbed.sweeps.makers.remote import Remote

    safe.required()
    place = safe.place(url, safe.Certificates(ca=ca, cert=cert, key=key))
    return lambda: Remote(place, folder, registry.get(points.engine).needs_machine, _say)


def _ignored(_progress: "SweepProgress") -> None:
    """Nobody is told."""


def _say(line: str) -> None:
    from testbed.report.words.lines import say

    say(line)
