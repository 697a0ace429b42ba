"""What a run says while it runs, on stderr: a live view on a terminal, plain lines elsewhere, nothing if so asked."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from testbed.core.events import (
    Controlled,
    Event,
    MigrationFinished,
    MigrationStarted,
    PhaseChanged,
    Progress,
    RoundFinished,
    Sampled,
)
from testbed.core.units import by_hand, in_seconds

Observer = Callable[[Event], None]


@contextmanager
def watching(quiet: bool, title: str) -> Iterator[Observer]:
    """The observer that suits: ``with watching(quiet, title) as observer``."""
    if quiet:
        yield lambda _event: None
    elif sys.stderr.isatty():
        from testbed.cli.live import live_view

        with live_view(title) as observer:
            yield observer
    else:
        say(title)
        yield plain


def plain(event: Event) -> None:
    """A line an event, for files and pipes."""
    for line in lines(event):
        say(line)


def lines(event: Event) -> Iterator[str]:
    """What an event is worth in plain lines; progress within a round is worth none."""
    match event:
        case MigrationStarted():
            yield f"[{event.index}/{event.total}] {event.name}"
        case PhaseChanged():
            yield f"  {event.phase}: {event.detail}" if event.detail else f"  {event.phase}"
        case RoundFinished():
            yield f"  {event.round}"
            if event.decision is not None:
                yield f"    {event.decision.reason}"
        case MigrationFinished():
            yield from _downtime(event)
            yield f"  {event.outcome}: {event.reason}" + ("" if event.valid else " (not valid)")
        case Controlled():
            yield f"  by hand: {by_hand(event.what, event.value)}" + (f": {event.fault}" if event.fault else "")
        case Progress() | Sampled():
            return


def _downtime(event: MigrationFinished) -> Iterator[str]:
    """By its phases, where there was one."""
    done = event.record
    if done is not None and done.downtime_s is not None and done.downtime_phases_s:
        phases = ", ".join(f"{name} {in_seconds(seconds)}" for name, seconds in done.downtime_phases_s.items())
        yield f"  downtime {in_seconds(done.downtime_s)}: {phases}"


def say(line: str) -> None:
    """One line to stderr, at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
