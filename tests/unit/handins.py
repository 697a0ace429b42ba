"""Hand-ins for tests: a student's folder, zips made by hand, and what comes of opening them."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from testbed.core.errors import ScenarioError
from testbed.labs import handin
from tests.unit.runs import kept

Make: TypeAlias = Callable[[zipfile.ZipFile], object]
LOCK = "lab: rounds\nstudent: me@uni.example\nversion: 1\n"


def a_folder(folder: Path) -> Path:
    """A student's, with runs of two names."""
    folder.mkdir()
    (folder / "lab.lock").write_text(LOCK)
    (folder / "answers.yaml").write_text("why: because\n")
    (folder / "mine.py").write_text("raise SystemExit('never run')\n")
    (folder / "README.md").write_text("the lab\n")
    for run in ("run-2", *(f"run-{number}" for number in range(6, 11)), "fast-1"):
        kept(folder / "runs" / run)
    return folder


def zipped(file: Path, make: Make, lock: str = LOCK) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        if lock:
            packed.writestr("lab.lock", lock)
        make(packed)
    return file


def refusal(path: Path) -> str:
    """The one line, without the hand-in's name that it begins with."""
    with pytest.raises(ScenarioError) as caught, handin.opened(path):
        pytest.fail("it was opened")
    said = str(caught.value)
    assert said.startswith(f"{path}: ") and "\n" not in said and "fast-motion-handin-" not in said
    return said.removeprefix(f"{path}: ")


def inside(path: Path) -> dict[str, int]:
    with handin.opened(path) as folder:
        return {str(each.relative_to(folder)): each.stat().st_size for each in folder.rglob("*") if each.is_file()}
