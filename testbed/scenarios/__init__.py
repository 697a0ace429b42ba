"""The scenarios that come with the testbed: their names, titles and files; ``beginning``: what a new one begins as."""

from importlib.resources import files
from pathlib import Path

from testbed.core.text.yaml_text import text_of, tree_of


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
