"""Verdicts as JUnit's XML, as CI systems show them: a suite of cases, each passed, failed, skipped or in error."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from testbed.core.text.printable import printable

_MOST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class JUnitCase:
    """``kind`` empty: it passed; else why it did not is in ``message``."""

    of: str
    name: str
    kind: Literal["", "failure", "error", "skipped"] = ""
    message: str = ""


def document(suites: Sequence[tuple[str, Sequence[JUnitCase]]]) -> str:
    """``testsuites/testsuite/testcase`` of suites by name. Texts are made printable: anybody may have written them."""
    root = Element("testsuites", name="testbed")
    for name, cases in suites:
        suite = SubElement(root, "testsuite", name=_shown(name))
        for each in cases:
            case = SubElement(suite, "testcase", classname=_shown(each.of), name=_shown(each.name), time="0")
            if each.kind:
                SubElement(case, each.kind, message=_shown(each.message))
        suite.set("tests", str(len(cases)))
        for count, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(count, str(sum(each.kind == kind for each in cases)))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _shown(text: str) -> str:
    return printable(text, _MOST)
