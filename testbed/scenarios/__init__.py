"""The scenarios that come with the testbed: their names, titles and files."""

from importlib.resources import files
from pathlib import Path

import yaml


def folder() -> Path:
    """Where they lie."""
    return Path(str(files(__name__)))


def names() -> list[str]:
    """All of them, in alphabetical order."""
    return sorted(path.stem for path in folder().glob("*.yaml"))


def path_of(name: str) -> Path:
    """The file of the scenario of that name, whether or not there is one."""
    return folder() / f"{name}.yaml"


def title_of(name: str) -> str:
    """Its title: one line for people."""
    document = yaml.safe_load(path_of(name).read_text(encoding="utf-8"))
    return str(document.get("title", ""))
