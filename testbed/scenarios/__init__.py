"""The scenarios that come with the testbed: their names, titles and files; ``beginning``: what a new one begins as."""

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from testbed.core.text.yaml_text import text_of, tree_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningStep:
    """Where a scenario stands in the order of learning: ``level`` first, further or deep; how long all of its
    migrations take by the model, with what belongs to them; the memory that two copies of
    its largest guest and a run need.
    """

    name: str
    level: str
    minutes: float
    memory_gb: float


def folder() -> Path:
    """The folder of the scenarios that come with the testbed."""
    return Path(str(files(__name__)))


def names() -> list[str]:
    """All of them, in alphabetical order."""
    return sorted(path.stem for path in folder().glob("*.yaml"))


def path_of(name: str) -> Path:
    """The file of the scenario of that name, whether or not there is one."""
    return folder() / f"{name}.yaml"


def title_of(name: str) -> str:
    """Its title: one line for people."""
    path = path_of(name)
    tree, _ = tree_of(text_of(path), str(path))
    return str(tree.get("title", ""))


def in_order() -> list[LearningStep]:
    """All of them in the order in which they are best learnt from (``order.json``)."""
    kept = [LearningStep(**each) for each in json.loads((folder() / "order.json").read_text(encoding="utf-8"))]
    return [each for each in kept if each.name in names()]
