"""Which tracker to use here: each is tried on a few pages of our own memory, never guessed from a version."""

from dataclasses import dataclass

from testbed.core.errors import PrerequisiteMissing
from testbed.dirty import GuestPorts, Tracker, registry

BEST_FIRST = ("uffd-wp", "soft-dirty", "checksum")

_WORKS = {
    "uffd-wp": "asynchronous write-protect works here",
    "soft-dirty": "soft-dirty bits work here, the guest is stopped for each scan",
    "checksum": "works anywhere, reads all memory each round",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A tracker for one guest, not started yet, and why it is this one, in a sentence for the record."""

    tracker: Tracker
    reason: str


def choose(ports: GuestPorts, asked: str = "auto") -> Chosen:
    """The best tracker that works here, or the one asked for.

    Raises ``ScenarioError`` for a name there is none of, ``PrerequisiteMissing`` when it does not work here.
    """
    if asked != "auto":
        return Chosen(_forced(asked)(ports), f"{asked}: asked for, and {_works(asked)}")
    passed_over: list[str] = []
    for name in _names():
        tracker = registry.get(name)
        missing = tracker.probe()
        if missing is None:
            reasons = [f"{name}: {_works(name)}", *passed_over]
            return Chosen(tracker(ports), "; ".join(reasons))
        passed_over.append(f"{name}: {missing}")
    raise PrerequisiteMissing("no way of tracking memory works here: " + "; ".join(passed_over), "use another kernel")


def probe_all() -> dict[str, tuple[bool, str]]:
    """Every tracker by name, the best first: whether it works here, and why or why not."""
    missing = {name: registry.get(name).probe() for name in _names()}
    return {name: (lack is None, lack or _works(name)) for name, lack in missing.items()}


def _forced(name: str) -> type[Tracker]:
    tracker = registry.get(name)
    missing = tracker.probe()
    if missing is not None:
        raise PrerequisiteMissing(
            f"tracker '{name}' does not work on this machine: {missing}", "set migration.tracker to auto"
        )
    return tracker


def _names() -> list[str]:
    """The known ones in order of preference, then any that were added."""
    return [*BEST_FIRST, *(name for name in registry.items() if name not in BEST_FIRST)]


def _works(name: str) -> str:
    return _WORKS.get(name, "works here")
