"""What grading has to find of each hand-in of a generated class, and what it says otherwise."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

FILE = "expected.json"


@dataclass(slots=True, kw_only=True)
class Expected:
    """One hand-in, by its file's name. Parts of sentences: ``fault`` of the one line of what cannot be judged; each of
    ``reasons`` of some reason; ``hints`` of that check's hint, and no other check gives one (None: any may);
    each of ``flags`` of some flag, and there is no other but such as ``may`` be, among several who copied from one.
    """

    handin: str
    kind: str
    score: Literal["all", "some", "none", "any"]
    fault: str = ""
    reasons: list[str] = field(default_factory=list)
    hints: dict[str, str] | None = None
    flags: list[str] = field(default_factory=list)
    may: list[str] = field(default_factory=list)


def write(expected: Sequence[Expected], folder: Path) -> Path:
    """The file in which a class says what is to be found."""
    file = folder / FILE
    file.write_text(json.dumps([asdict(each) for each in expected], indent=1), encoding="utf-8")
    return file


def read(folder: Path) -> list[Expected]:
    return [Expected(**each) for each in json.loads((folder / FILE).read_text(encoding="utf-8"))]


def parsed(grades: str) -> Mapping[str, Any]:
    """What ``grade --json`` wrote."""
    found: Mapping[str, Any] = json.loads(grades)
    return found


def differing(expected: Sequence[Expected], grades: Mapping[str, Any]) -> Iterator[str]:
    """A line for each thing that grades (``grade --json``) say otherwise."""
    works = {work["handin"]: work for work in grades["works"]}
    for each in expected:
        if each.handin not in works:
            yield f"{each.handin}: was not graded"
        else:
            yield from (f"{each.handin} ({each.kind}): {wrong}" for wrong in _wrong(each, works.pop(each.handin)))
    yield from (f"{name}: nobody handed it in" for name in works)


def _wrong(expected: Expected, work: Mapping[str, Any]) -> Iterator[str]:
    fault, reasons, flags = work["fault"], " | ".join(work["reasons"]), work["flags"]
    if expected.fault not in fault or bool(expected.fault) != bool(fault):
        yield f"its fault should be '{expected.fault}', and is '{fault}'"
    for part in expected.reasons:
        if not _said(part, reasons):
            yield f"no reason is '{part}': {reasons}"
    yield from _unhinted(expected, work)
    known = [*expected.flags, *expected.may]
    yield from (
        f"no flag is '{part}': {flags}" for part in expected.flags if not any(_said(part, each) for each in flags)
    )
    yield from (f"a flag too many: {each}" for each in flags if not any(_said(part, each) for part in known))
    yield from _points(expected, work)


def _said(part: str, sentence: str) -> bool:
    """Any of the parts that are divided by ``|``."""
    return any(each in sentence for each in part.split("|"))


def _unhinted(expected: Expected, work: Mapping[str, Any]) -> Iterator[str]:
    if expected.hints is None:
        return
    found = {each["check"]: each["hint"] for each in work["checks"] if each["hint"]}
    asked = {each["check"] for each in work["checks"] if each["standing"] != "not asked"}
    for check, hint in expected.hints.items():
        if hint not in found.get(check, "") and check in asked:
            yield f"'{check}' should hint '{hint}', and says '{found.get(check, '')}'"
    yield from (f"'{check}' hints as well: {found[check]}" for check in found.keys() - expected.hints.keys())


def _points(expected: Expected, work: Mapping[str, Any]) -> Iterator[str]:
    """All: what a teacher has still to read is missing yet."""
    unread = sum(each["points"] for each in work["checks"] if each["standing"] == "by the teacher")
    right = {
        "all": work["score"] == work["max"] - unread,
        "some": 0 < work["score"] < work["max"] - unread,
        "none": work["score"] == 0,
        "any": True,
    }
    if not right[expected.score]:
        yield f"earns {work['score']} of {work['max']}, and should earn {expected.score}: {work['reasons']}"
