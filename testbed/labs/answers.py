"""``answers.yaml``: a form for the student, and what was written into it, which may be anything."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.core.text import from_json
from testbed.core.text.nearest import nearest
from testbed.core.text.printable import printable
from testbed.core.text.yaml_text import tree_of
from testbed.labs.definition.spec import AnswerSpec, LabSpec, Scalar
from testbed.runfiles import files
from testbed.scenario.quantities import shown

ANSWERS = "answers.yaml"
MOST_TEXT = 4000
"""Characters of an answer in words."""
_NUMBER = re.compile(r"[-+]?([0-9]{1,18}\.?[0-9]{0,18}|\.[0-9]{1,18})([eE][-+]?[0-9]{1,2})?")
ASKED = {
    "number": "a number",
    "integer": "a whole number",
    "text": "in your own words",
    "truth": "true or false",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """``values`` by question; what cannot be taken is not among them, and ``faults`` say why, by question in a line."""

    values: Mapping[str, Scalar] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    strange: tuple[str, ...] = ()

    def missing(self, name: str) -> str:
        """Why there is no answer to a question."""
        return self.faults.get(name, f"{ANSWERS}: '{name}' is not answered yet")


def form(spec: LabSpec, heading: str) -> str:
    """An ``answers.yaml`` without answers."""
    lines = [f"# {heading}", "# Write each answer after its colon. A number stands without its unit.", ""]
    before = [name for name, each in spec.answers.items() if each.before]
    after = [name for name in spec.answers if name not in before]
    for title, names in (("Before the run, from what you know:", before), ("After the run:", after)):
        lines += [f"# {title}", ""] if names else []
        for name in names:
            lines += [f"# {spec.answers[name].ask} ({_kind(spec.answers[name])})", f"{name}:", ""]
    return "\n".join(lines).rstrip() + "\n"


def read(file: Path, spec: LabSpec) -> Answers:
    """What is in a student's file. Raises ``ScenarioError`` for one that cannot be read at all."""
    if not files.there(file):
        raise ScenarioError("is not there", str(file))
    return of_text(files.text(file, files.MOST_SCENARIO), spec)


def of_text(content: str, spec: LabSpec) -> Answers:
    """What a text answers. Raises ``ScenarioError`` where it is no YAML."""
    tree, places = tree_of(content, ANSWERS, "answer file", may_be_empty=True)  # a form without questions is
    return checked(tree, spec, {str(path[0]): place for path, place in places.items() if len(path) == 1})


def checked(tree: Mapping[str, Any], spec: LabSpec, places: Mapping[str, str] = {}) -> Answers:
    """Each answer held against its question; one that is empty is none."""
    values: dict[str, Scalar] = {}
    faults: dict[str, str] = {}
    for name, value in tree.items():
        if name in spec.answers and value not in (None, ""):
            try:
                values[name] = taken(value, spec.answers[name])
            except ValueError as error:
                faults[name] = f"{places.get(name, ANSWERS)}: '{name}' {error}"
    return Answers(values=values, faults=faults, strange=tuple(_strange(tree, spec, places)))


def taken(value: Any, question: AnswerSpec) -> Scalar:
    """An answer as its question wants it. Raises ``ValueError`` with what was expected."""
    match question.type:
        case "text":
            return _words(value)
        case "truth":
            if not isinstance(value, bool):
                raise ValueError(f"must be true or false, not {shown(value)}")
            return value
        case "choice":
            return _choice(value, question)
    return _number(value, question)


def _number(value: Any, question: AnswerSpec) -> int | float:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    unit = f" of {question.unit}, without the unit" if question.unit else ""
    whole = question.type == "integer"
    kind = f"{'a whole number' if whole else 'a number'}{unit}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be {kind}, not {shown(value)}")
    try:
        from_json.number(value, "")  # a prediction is read from its record again
    except ValueError:
        raise ValueError(f"must be {kind}, and one that can be") from None
    if whole and value != int(value):
        raise ValueError(f"must be {kind}, not {shown(value)}")
    return int(value) if whole else value


def _choice(value: Any, question: AnswerSpec) -> Scalar:
    choices = [each for each in question.choices or () if isinstance(each, int | float | str)]
    said = str(value).strip().lower()
    for each in choices:
        if said == str(each).lower() or (value == each and not isinstance(value, bool)):  # 1 is 1.0
            return each
    raise ValueError(f"must be one of {', '.join(map(str, choices))}, not {shown(value)}")


def _words(value: Any) -> str:
    if not isinstance(value, str | int | float):
        raise ValueError("must be a text; put it behind the colon and '|', on lines of its own")
    if len(str(value)) > MOST_TEXT:
        raise ValueError(f"must be at most {MOST_TEXT} characters long, not {len(str(value)):,}")
    return printable(str(value).strip(), MOST_TEXT)


def _kind(question: AnswerSpec) -> str:
    words = ASKED.get(question.type) or "one of " + ", ".join(map(str, question.choices or ()))
    words += f", {question.unit}" if question.unit else ""
    return words + (f"; your teacher reads it, {question.points} points" if question.read_by else "")


def _strange(tree: Mapping[str, Any], spec: LabSpec, places: Mapping[str, str]) -> Iterator[str]:
    for name in tree:
        if name not in spec.answers:
            known = nearest(name[:60], list(spec.answers)) if spec.answers else "this lab asks nothing"
            yield printable(f"{places.get(name, ANSWERS)}: there is no question '{name:.60}'; {known}")
