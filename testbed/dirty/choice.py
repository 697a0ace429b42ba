"""Which tracker to use here: each is tried on a few pages of our own memory, never guessed from a version."""

from dataclasses import dataclass

from testbed.core.errors import PrerequisiteMissing
from testbed.core.registry import is_path
from testbed.dirty import GuestPorts, Tracker, own_file, registry

OTHER = "set migration.tracker to auto"


@dataclass(frozen=True, slots=True)
class Choice:
    """A tracker for one guest, not started yet, and why it is this one, in a sentence for the record."""

    tracker: Tracker
    reason: str


def choose(ports: GuestPorts, asked: str = "auto") -> Choice:
    """The best tracker that works here, or the one asked for, be it in a file of the user's own, which is run.

    Raises ``ScenarioError`` for a name there is none of, ``PrerequisiteMissing`` when it does not work here.
    """
    if is_path(asked):
        return _own(ports, asked)
    if asked != "auto":
        forced = _forced(asked)
        return Choice(forced(ports), f"{asked}: asked for, and {forced.works}")
    passed_over: list[str] = []
    for name, tracker in best_first().items():
        missing = tracker.lacks()
        if missing is None:
            reasons = [f"{name}: {tracker.works}", *passed_over]
            return Choice(tracker(ports), "; ".join(reasons))
        passed_over.append(f"{name}: {missing}")
    raise PrerequisiteMissing("no way of tracking memory works here: " + "; ".join(passed_over), "use another kernel")


def works_here() -> dict[str, tuple[bool, str]]:
    """Every tracker by name, the best first: whether it works here, and why or why not."""
    missing = {name: (tracker.lacks(), tracker.works) for name, tracker in best_first().items()}
    return {name: (lack is None, lack or works) for name, (lack, works) in missing.items()}


def best_first() -> dict[str, type[Tracker]]:
    """Every tracker by name, in order of preference."""
    return dict(sorted(registry.items().items(), key=lambda entry: entry[1].rank))


def _own(ports: GuestPorts, name: str) -> Choice:
    made, missing = own_file.load(name), own_file.OwnTracker.lacks()
    if missing is not None:
        raise PrerequisiteMissing(f"a tracker of one's own does not work on this machine: {missing}", OTHER)
    return Choice(made(ports), f"{name}: {own_file.works(name)}")


def _forced(name: str) -> type[Tracker]:
    tracker = registry.get(name)
    missing = tracker.lacks()
    if missing is not None:
        raise PrerequisiteMissing(f"tracker '{name}' does not work on this machine: {missing}", OTHER)
    return tracker
