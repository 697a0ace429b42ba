"""What a run says while it runs, in plain lines on stderr: for files, pipes and whoever calls it from Python."""

import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from testbed.core.agents.moments import left
from testbed.core.events import (
    Controlled,
    Event,
    FaultInjected,
    MigrationFinished,
    MigrationStarted,
    PhaseChanged,
    Progress,
    RoundFinished,
    Sampled,
)
from testbed.core.expectation import said
from testbed.core.outlook import Outlooks
from testbed.core.text.printable import printable
from testbed.core.units import by_hand, in_bytes, in_seconds

QUIET_S = 5.0
"""No line for so long: then one says how far the round is."""
LONGEST_PATH = 4096
"""Characters: PATH_MAX of Linux."""


class Plain:
    """A line an event, for files and pipes; and where nothing else is said for long, one of how far it is."""

    def __init__(self) -> None:
        self._outlooks, self._spoke, self._lock = Outlooks(), 0.0, Lock()

    def __call__(self, event: Event) -> None:
        """Says the lines of an event. From any thread."""
        with self._lock:
            self._outlooks.update(event)
            for line in self._lines(event):
                self._spoke = event.at
                say(line)

    def _lines(self, event: Event) -> Iterator[str]:
        yield from lines(event)
        if isinstance(event, Progress) and event.at >= self._spoke + QUIET_S:
            left = self._outlooks.of(event.migration).left_s
            rest = "" if left is None else f", {_long(left)} left"
            yield f"  round {event.round}: {in_bytes(event.sent_bytes)} of {in_bytes(event.round_bytes)}{rest}"


def _long(seconds: float) -> str:
    return f"about {in_seconds(seconds)}"


def lines(event: Event) -> Iterator[str]:  # noqa: C901 - one case an event
    """What an event is worth in plain lines; progress within a round is worth none."""
    match event:
        case MigrationStarted():
            others = "" if event.others_s is None or event.index == event.total else f", then {_long(event.others_s)}"
            expected = "" if event.expected_s is None else f": {_long(event.expected_s)}{others} by the model"
            yield f"[{event.index}/{event.total}] {event.name}{expected}"
            if event.expected_why_not:
                yield f"  by the model it does not complete: {event.expected_why_not}"
        case PhaseChanged():
            yield f"  {event.phase}"
        case RoundFinished():
            yield f"  {event.round}"
            if event.decision is not None:
                yield f"    {event.decision.reason}"
        case MigrationFinished():
            yield from _downtime(event)
            faults = event.record is not None and left(event.record.faults) is not None
            ended = said(event.outcome, event.valid, faults)
            yield f"  {ended}: {event.reason}" + ("" if event.valid else " (not valid)")
        case Controlled():
            yield f"  by hand: {by_hand(event.what, event.value)}" + (f": {event.fault}" if event.fault else "")
        case FaultInjected():
            yield f"  fault: {event.phase}:{event.what}" + (f": {event.fault}" if event.fault else "")
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
    sys.stderr.write(f"{printable(line)}\n")
    sys.stderr.flush()


def own_code(file: Path) -> None:
    """Said before a user's file is run: a scenario may be somebody else's, and it runs with the rights of the run."""
    sys.stderr.write(f"this scenario runs code of its own: {printable(str(file), LONGEST_PATH)}\n")
    sys.stderr.flush()
