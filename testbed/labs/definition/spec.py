"""``lab.yaml``: what a lab asks, and of whom, as pydantic models.

LabSpec ── parameters   drawn for each student      ``draw``
        ├─ answers      what students write down    ``answers``
        └─ runs         what they run               ``running``
"""

import re
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar

from pydantic import BeforeValidator, Field, JsonValue, ValidationError, WithJsonSchema, model_validator

from testbed.core.text.yaml_text import tree_of
from testbed.scenario.document import Document
from testbed.scenario.faults import scenario_error
from testbed.scenario.models import Part
from testbed.scenario.quantities import Flag, one_of, text, whole

KEY = "[a-z][a-z0-9_]*"
"""What parameters and answers are called: names that an expression can say."""
NAME = "[a-z][a-z0-9-]*"
NAME_IN_WORDS = "may hold small letters, digits and '-', and begins with a letter"
FILE = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
FILE_IN_WORDS = "must be the name of a file, in the folder itself: letters, digits, '.', '-' and '_'"
RESERVED = frozenset({"lab", "title", "minutes", "version", "student", "course", "run"})
"""What templates and expressions know beside the parameters."""
OURS = frozenset({"lab.lock", "answers.yaml", "runs", "SHA256SUMS"})
"""What is in every hand-in."""
MAIN = "main"
MOST_POINTS = 1000
KINDS = ("number", "integer", "text", "choice", "truth")

Scalar: TypeAlias = bool | int | float | str
"""A parameter's value, or an answer."""
P = TypeVar("P", bound=Part)


def _choices(value: object) -> object:
    if not isinstance(value, list) or not value:
        raise ValueError("must be a list of values to choose from: [0.2, 0.3]")
    if any(isinstance(each, bool) or not isinstance(each, int | float | str) for each in value):
        raise ValueError("must hold numbers and texts alone")
    return value


Choices: TypeAlias = Annotated[
    list[JsonValue], BeforeValidator(_choices), WithJsonSchema({"type": "array", "minItems": 1})
]


class ParameterSpec(Part):
    """A value of the student's own. It says one of ``choose``, ``is`` and ``seed``."""

    choose: Choices | None = Field(default=None, description="values, one of which is drawn")
    is_: Annotated[str, *text(400)] | None = Field(
        default=None, alias="is", description="an expression of parameters that stand before it"
    )
    seed: Flag = Field(default=False, description="a number that randomness begins from")
    unit: Annotated[str, *text(20)] = Field(default="", description="what it counts, such as MiB, Mbit or MB/s")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum((self.choose is not None, self.is_ is not None, self.seed)) != 1:
            raise ValueError("needs one of these, and no two: choose, is, seed: true")
        return self


class AnswerSpec(Part):
    """A question, and what kind of answer it wants."""

    ask: Annotated[str, *text(400)] = Field(description="the question")
    type: Annotated[str, *one_of("kind of answer", lambda: KINDS)] = "number"
    unit: Annotated[str, *text(20)] = Field(default="", description="what the number counts")
    choices: Choices | None = Field(default=None, description="of which one is the answer, for type: choice")
    before: Annotated[str, *text(40)] | None = Field(
        default=None, description="it is a prediction: run, or the name of the run that wants it first"
    )
    read_by: Literal["teacher"] | None = Field(default=None, description="a person gives its points")
    points: Annotated[int, *whole(0, MOST_POINTS)] = Field(default=0, description="those that a teacher gives")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.type == "choice") != (self.choices is not None):
            raise ValueError("a choice has choices, and nothing else has: type: choice, choices: [yes, no]")
        if (self.read_by is None) != (self.points == 0):
            raise ValueError("points are for what a teacher reads (read_by: teacher); checks.py has all others")
        return self


class RunSpec(Part):
    """A run that students make, of a scenario file of the lab."""

    scenario: Annotated[str, *text(80, pattern=FILE, otherwise=FILE_IN_WORDS)] = "scenario.yaml"
    set: list[Annotated[str, *text(100)]] = Field(
        default_factory=list, description="paths of the scenario that a student may set; all else stays as it is"
    )
    capture: Flag = Field(default=False, description="its packets are kept; simulated, there are none")
    optional: Flag = Field(default=False, description="a work without it is complete")
    invalid_too: Flag = Field(default=False, description="one that is not valid counts, too: its checks know why")


class LabSpec(Part):
    """A lab: its parameters, its questions, its runs and what is handed in."""

    lab: Annotated[str, *text(40, pattern=NAME, otherwise=NAME_IN_WORDS)] = Field(description="its name")
    version: Annotated[int, *whole(1, 10_000)] = Field(
        default=1, description="rises when works of before cannot be judged by it"
    )
    title: Annotated[str, *text(120)] = Field(description="one line for people")
    minutes: Annotated[int, *whole(1, 10_000)] = Field(description="a student's time")
    needs: list[Literal["real hosts", "root"]] = Field(
        default_factory=list, description="real hosts: as root or in namespaces of one's own; root: the same, of old"
    )
    parameters: dict[str, ParameterSpec] = Field(default_factory=dict, description="drawn for each student")
    answers: dict[str, AnswerSpec] = Field(default_factory=dict, description="what students write down")
    runs: dict[str, RunSpec] = Field(
        default_factory=lambda: {MAIN: RunSpec()},
        description="by name; where none are named: main, of scenario.yaml; {}: the lab has none",
    )
    hand_in: list[Annotated[str, *text(80, pattern=FILE, otherwise=FILE_IN_WORDS)]] = Field(
        default_factory=list, description="files of the student's beside answers.yaml and the runs"
    )

    @model_validator(mode="after")
    def _names(self) -> Self:
        for name in (*self.parameters, *self.answers):
            if not re.fullmatch(KEY, name) or name in RESERVED:
                raise ValueError(f"'{name:.40}' cannot be a name: small letters, digits and '_', and none of our words")
        for name in OURS.intersection(self.hand_in):
            raise ValueError(
                f"'{name}' is no file to hand in: it is handed in anyway, or is what we make; leave it out"
            )
        for name in self.runs:
            if not re.fullmatch(NAME, name) or name == "run":
                raise ValueError(f"a run cannot be called '{name:.40}': it {NAME_IN_WORDS}")
        for name, answer in self.answers.items():
            if answer.before not in (None, "run", *self.runs):
                raise ValueError(f"'{name}' is to be there before '{answer.before}', which is no run of this lab")
        return self

    def predictions(self, run: str) -> list[str]:
        """The answers that are wanted before that run."""
        return [name for name, answer in self.answers.items() if answer.before in ("run", run)]


def parsed(content: str, name: str) -> tuple[LabSpec, Document]:
    """A ``lab.yaml``; ``name`` stands for the file. Raises ``ScenarioError``."""
    return part_of(LabSpec, content, name, "lab")


def part_of(model: type[P], content: str, name: str, kind: str) -> tuple[P, Document]:
    """What a text says by its model; ``name`` stands for the file in messages, ``kind`` says what it is to be.

    Raises ``ScenarioError``: line, what was expected, nearest word.
    """
    tree, places = tree_of(content, name, kind)
    document = Document(tree=tree, places=places)
    try:
        return model.model_validate(tree), document
    except ValidationError as error:
        raise scenario_error(error, document, model) from error


def lab_schema() -> dict[str, Any]:
    """The JSON schema of ``lab.yaml``, for editors."""
    from testbed.scenario.schema.scenario_schema import EDITORS_DIALECT

    return {"$schema": EDITORS_DIALECT} | LabSpec.model_json_schema()
