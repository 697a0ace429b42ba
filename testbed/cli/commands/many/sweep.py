"""``sweep``: every point of a grid, shuffled and repeated; what is there is done, so the same command goes on."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testbed.cli.options import RESULTS, TrustNothing, own_code
from testbed.core.errors import ScenarioError, TestbedError

if TYPE_CHECKING:
    from testbed.sweeps.conduct import SweepProgress
    from testbed.sweeps.folder import SweepFolder
    from testbed.sweeps.makers.here import Makers
    from testbed.sweeps.points import Points


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
    from testbed.sweeps.folder import SweepFolder
    from testbed.sweeps.grid import load
    from testbed.sweeps.points import Points

    loaded = load(grid, own_code(trust_nothing))
    points = Points(loaded, _known(engine or loaded.engine))
    folder = SweepFolder(out or Path(RESULTS) / f"{loaded.name}-sweep")
    if dry_run:
        return _listed(points)
    if point is not None:
        return _one(points, folder, point)
    if on is None:
        return _all(points, folder, _makers(points, folder, jobs), limit, quiet)
    if jobs is not None:
        raise ScenarioError("--jobs is for points that are made here; leave out --jobs, or --on")
    return _all(points, folder, _elsewhere(points, folder, on, tls_ca, tls_cert, tls_key), limit, quiet)


def _known(engine: str) -> str:
    """Raises ``ScenarioError`` for one that there is not."""
    from testbed.engines import registry

    registry.get(engine)
    return engine


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
    from testbed.sweeps.makers.here import Here

    try:
        point = points.numbered(number)
    except IndexError:
        raise ScenarioError(f"there is no point {number}; they are numbered from 0 to {points.most() - 1}") from None
    folder.prepare()
    if folder.there(point.id, _say) is not None:
        _say(f"point {number} is there: {folder.points / point.id}")
        return 0
    with Here(folder, _say) as here:
        here.give(points.wanted(point), "")
        made = here.take()
    if made.state != VALID:
        _say(f"point {number} ({point.arm.name}): {made.state}: {made.reason}")
        return TestbedError.exit_code
    print(folder.points / point.id)
    return 0


def _all(
    points: "Points", folder: "SweepFolder", makers: Callable[[], "Makers"], limit: int | None, quiet: bool
) -> int:
    from testbed.sweeps.conduct import Sweep
    from testbed.sweeps.ended import LEFT, VALID
    from testbed.sweeps.together.finish import finish

    conducted: Sweep = Sweep(points, folder, limit=limit, say=_say, told=_ignored if quiet else ShownProgress())
    state = conducted.run(makers)
    written = finish(points, folder, state)
    for name in written:
        print(folder.file(name))
    left = sum(each.state == LEFT for each in state.points)
    if left:
        _say(f"{left} of {len(state.points)} points are left; the same command goes on")
        return 0 if limit is not None else TestbedError.exit_code
    bad = [each for each in state.points if each.state != VALID]
    if bad:
        first = f"point {bad[0].number}: {bad[0].state}: {bad[0].reason}"
        _say(f"testbed: {len(bad)} of {len(state.points)} points are not valid; {first}")
    return TestbedError.exit_code if bad else 0


def _makers(points: "Points", folder: "SweepFolder", jobs: int | None) -> Callable[[], "Makers"]:
    """Who makes them. Raises ``ScenarioError`` for more than one where the machine is needed."""
    from testbed.engines import registry
    from testbed.sweeps.makers.here import Here
    from testbed.sweeps.makers.jobs import Jobs

    needs_machine = registry.get(points.engine).needs_machine
    if needs_machine and jobs not in (None, 1):
        raise ScenarioError(
            f"engine '{points.engine}' has the machine to itself: one point at a time; leave out --jobs"
        )
    count = 1 if needs_machine else jobs or len(os.sched_getaffinity(0))
    return lambda: Here(folder, _say) if count == 1 else Jobs(folder, count, _say)


def _elsewhere(
    points: "Points", folder: "SweepFolder", url: str, ca: Path | None, cert: Path | None, key: Path | None
) -> Callable[[], "Makers"]:
    from testbed.engines import registry
    from testbed.sweeps.makers import safe
    from testbed.sweeps.makers.remote import Remote

    safe.required()
    place = safe.place(url, safe.Certificates(ca=ca, cert=cert, key=key))
    return lambda: Remote(place, folder, registry.get(points.engine).needs_machine, _say)


class ShownProgress:
    """How far a sweep is, in one line that is written over on a terminal, now and then in one of its own elsewhere."""

    SHARE = 10
    """Lines of a sweep, where they stay."""

    def __init__(self) -> None:
        self._line, self._next = sys.stderr.isatty(), 0

    def __call__(self, progress: "SweepProgress") -> None:
        """Shows how far it is now."""
        from testbed.core.units import in_seconds

        last = progress.done == progress.total
        if not self._line and progress.done < self._next and not last:
            return
        self._next = progress.done + max(1, progress.total // self.SHARE)
        left = "" if progress.left_s is None or last else f", about {in_seconds(progress.left_s)} left"
        text = f"{progress.done} of {progress.total} points{left}"
        if self._line:
            sys.stderr.write(f"\r\x1b[K{text}" + ("\n" if last else ""))
            sys.stderr.flush()
        else:
            _say(text)


def _ignored(_progress: "SweepProgress") -> None:
    """Nobody is told."""


def _say(line: str) -> None:
    from testbed.report.words.lines import say

    say(line)
