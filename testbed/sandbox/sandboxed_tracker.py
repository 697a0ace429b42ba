"""A dirty tracker of a file that is not trusted, in every order in which it and a guest can act, tried in a sandbox."""

from dataclasses import replace
from pathlib import Path

from testbed.core.text.from_json import built
from testbed.dirty.interleavings import DEPTH, PAGES, ROUNDS, Explored
from testbed.sandbox.messages import Limits, TrackerWanted, as_outside
from testbed.sandbox.sandbox import CodeFault, Sandbox, code_of


def explored(
    file: Path, *, pages: int = PAGES, depth: int = DEPTH, rounds: int = ROUNDS, limits: Limits | None = None
) -> Explored:
    """What ``dirty.interleavings.explore`` finds out about the tracker of a file.

    It is what that process says: code that means to can say something else of itself, and do no other harm. Raises
    ``CodeFault`` for a file that is no tracker's or never ends, ``PrerequisiteMissing`` where there can be no sandbox.
    """
    wanted = TrackerWanted(pages=pages, depth=depth, rounds=rounds)
    with Sandbox(code_of(file), serves="tracker", limits=limits, name=str(file)) as sandbox:
        try:
            found = built(Explored, sandbox.ask("explore", wanted))
        except ValueError as fault:
            raise CodeFault(f"{file}: what it answered is no answer: {fault}") from fault
    if found.wrong is not None:
        found.wrong = replace(found.wrong, end=as_outside(found.wrong.end, str(file)))
    return found
