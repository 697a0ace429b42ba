"""A lab's text as some student has it: with numbers drawn for an example."""

from pathlib import Path

from testbed.labs.catalogue import LabFolder

EXAMPLE = "you@uni.example"


def rendered(lab: Path) -> str:
    """The text of a lab's folder, with the example's numbers in it. Raises ``ScenarioError`` with file and line."""
    known = LabFolder.read(lab)
    return known.readme(known.drawn("", EXAMPLE))
