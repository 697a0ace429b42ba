"""Whether who handed in is who started: a platform knows the one, and the work says the other.

Gradescope grades each hand-in alone, so a friend's is found there by this and by nothing else. A flag, never points: a
student may have started with a name that their platform does not know.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.core.text import from_json
from testbed.core.text.printable import printable
from testbed.grades.handed import HandedIn
from testbed.grades.roster import Roster, names_of
from testbed.grades.work import GradedWork, called
from testbed.runfiles import files

MOST_BYTES = 1 << 20
MOST_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _User:
    """One of those who handed in together. Gradescope numbers them, and some have no address."""

    email: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metadata:
    """What we read of Gradescope's ``submission_metadata.json``, as its documents describe it."""

    users: list[_User] = field(default_factory=list)
    created_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Who handed in, by all names that the platform has for them, the first of which they are called by, and when."""

    names: Sequence[str]
    at: datetime | None = None

    @classmethod
    def read(cls, path: Path) -> "Submission":
        """What Gradescope says in its file. Raises ``ScenarioError``."""
        try:
            known = from_json.built(_Metadata, files.parsed(path, MOST_BYTES))
        except ValueError as error:
            raise ScenarioError(f"is none of Gradescope's: {error}", str(path)) from error
        names = [name for user in known.users for name in (user.email, user.name) if name]
        return cls(names=[printable(name, MOST_NAME) for name in names], at=_moment(known.created_at))

    def of(self, given: HandedIn) -> HandedIn:
        """The hand-in with the name and the time of who handed it in."""
        return replace(given, who=self.names[0] if self.names else given.who, at=self.at or given.at)


def flagged(works: Sequence[GradedWork], roster: Roster | None, submission: Submission | None) -> list[GradedWork]:
    """The works, of which those that were started by another than who handed them in say so, with a flag. ``roster``: a
    row has all names of one student. Of whom neither knows anything nothing is said.
    """
    people = [names_of(row) for row in roster.students()] if roster else []
    if submission and submission.names:
        people.append(names_of(submission.names))
    said = [tuple(_another(each, people)) for each in works]
    return [replace(each, flags=(*each.flags, *why), another=bool(why)) for each, why in zip(works, said, strict=True)]


def _another(work: GradedWork, people: Iterable[frozenset[str]]) -> Iterable[str]:
    who, student = work.who, work.graded.student
    known = [names for names in people if called(who) in names]
    if known and student and not any(names_of([student]) & names for names in known):
        yield f"was handed in by {who}, and started as {student}"


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
