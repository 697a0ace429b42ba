"""Grades as JUnit's XML: a suite a hand-in, a case a check; what was not asked is skipped."""

from collections.abc import Iterator, Sequence
from typing import Literal

from testbed.exports import junit
from testbed.exports.junit import JUnitCase
from testbed.grades.work import GradedWork, told

_KINDS: dict[str, Literal["", "skipped", "failure"]] = {
    "right": "",
    "not asked": "skipped",
    "by the teacher": "skipped",
}


def document(works: Sequence[GradedWork]) -> str:
    """A hand-in that cannot be judged is one case with an error."""
    return junit.document([(work.student, list(_cases(work))) for work in works])


def _cases(work: GradedWork) -> Iterator[JUnitCase]:
    lab = work.graded.lab or "lab"
    if work.graded.fault:
        yield JUnitCase(of=lab, name="hand-in", kind="error", message=work.graded.fault)
        return
    for each in work.graded.results:
        kind = _KINDS.get(each.standing, "failure")
        yield JUnitCase(of=lab, name=each.check, kind=kind, message=told(each))
