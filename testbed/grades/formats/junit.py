"""Grades as JUnit's XML: a suite a hand-in, a case a check; what was not asked is skipped."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from testbed.core.text.printable import printable
from testbed.grades.work import GradedWork, told


def document(works: Sequence[GradedWork]) -> str:
    """``testsuites/testsuite/testcase``; a hand-in that cannot be judged is one case with an error."""
    root = Element("testsuites", name="testbed")
    for work in works:
        suite = SubElement(root, "testsuite", name=_shown(work.student))
        counts = {"failure": 0, "error": 0, "skipped": 0}
        for name, kind, message in _cases(work):
            case = SubElement(suite, "testcase", classname=work.graded.lab or "lab", name=_shown(name), time="0")
            if kind:
                counts[kind] += 1
                SubElement(case, kind, message=_shown(message))
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(counts["failure"]))
        suite.set("errors", str(counts["error"]))
        suite.set("skipped", str(counts["skipped"]))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _cases(work: GradedWork) -> list[tuple[str, str, str]]:
    """Names, what they are other than passed, and why."""
    if work.graded.fault:
        return [("hand-in", "error", work.graded.fault)]
    kinds = {"right": "", "not asked": "skipped", "by the teacher": "skipped"}
    return [(each.check, kinds.get(each.standing, "failure"), told(each)) for each in work.graded.results]


def _shown(text: str) -> str:
    return printable(text, 2000)
