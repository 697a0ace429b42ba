"""``course.yaml``: which labs a course has, when they are due, and what being late costs."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field, WithJsonSchema

from testbed.core.text.yaml_text import text_of
from testbed.labs.definition.spec import MOST_POINTS, part_of
from testbed.scenario.models import Part
from testbed.scenario.quantities import shown, text, whole


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"must be a time with its zone, such as 2026-10-12T23:59+02:00, not {shown(value)}")
    return moment


Moment: TypeAlias = Annotated[
    datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]


class CourseLab(Part):
    """A lab of the course: when it is due, and how many points of the course it is worth."""

    due: Moment | None = Field(default=None, description="a time with its zone")
    points: Annotated[int, *whole(0, MOST_POINTS)] | None = Field(
        default=None, description="what all of the lab's points are worth; without it they count as they are"
    )


class Lateness(Part):
    """What a day that has begun after the due time costs."""

    per_day: Annotated[int, *whole(0, 100)] = Field(default=0, description="per cent of the lab's points for each day")
    at_most: Annotated[int, *whole(0, 1000)] | None = Field(
        default=None, description="days after which nothing counts; without it there is no such day"
    )


class Course(Part):
    """A course. Its name is part of what students' parameters are drawn from."""

    course: Annotated[str, *text(60)] = Field(description="its name, such as net-2026")
    labs: dict[str, CourseLab] = Field(default_factory=dict, description="by name")
    late: Lateness = Field(default_factory=Lateness)
    arena_key: Annotated[str, *text(200)] | None = Field(
        default=None, description="the file of the key that 'arena --course' draws guests from, beside this one"
    )

    @classmethod
    def read(cls, path: Path) -> "Course":
        """The course in a file. Raises ``ScenarioError``: line, what was expected, nearest word."""
        return part_of(cls, text_of(path), str(path), "course")[0]
