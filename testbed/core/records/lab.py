"""What ``summary.json`` says of the lab that a run was made for."""

from dataclasses import dataclass, field

from testbed.core.settings import Settings


@dataclass(slots=True, kw_only=True)
class LabRecord:
    """Whose run of which lab it is. ``run``: its name among the lab's runs; ``predictions``: what the student had
    answered before it began, by question.
    """

    id: str
    version: int
    student: str
    course: str = ""
    run: str = ""
    predictions: Settings = field(default_factory=dict)
