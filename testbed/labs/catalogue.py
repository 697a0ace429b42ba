"""Which labs there are, and what is in the folder of one.

01-rounds/ ── lab.yaml                what it asks (``spec``)
           ├─ README.md, scenario.yaml, starter/   with a student's numbers in them (``render``)
           ├─ checks.py               the teacher's checks (``own_checks``)
           └─ right.yaml, wrong/      answers by which the lab is tested (``proving``)
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.core.text.nearest import nearest
from testbed.core.text.yaml_text import text_of
from testbed.labs.definition.draw import Parameters, drawn
from testbed.labs.definition.render import rendered
from testbed.labs.definition.spec import OURS, LabSpec, Scalar, parsed
from testbed.scenario.document import Document

SPEC, README, CHECKS, RIGHT = "lab.yaml", "README.md", "checks.py", "right.yaml"
STARTER, WRONG = "starter", "wrong"
TEXTS = (".md", ".yaml", ".yml", ".py", ".txt", ".json", ".csv", ".toml")
"""Starter files with these endings are templates; others are copied as they are."""
MOST_FILE = 1 << 20
"""Bytes of a starter file."""


@dataclass(frozen=True, slots=False, kw_only=True)
class LabFolder:
    """A lab as its teacher wrote it."""

    path: Path
    spec: LabSpec
    document: Document

    @classmethod
    def read(cls, path: Path) -> "LabFolder":
        """The lab in a folder. Raises ``ScenarioError``."""
        if not (path / SPEC).is_file():
            raise ScenarioError(f"no lab lies here: there is no {SPEC}", str(path))
        spec, document = parsed(text_of(path / SPEC), str(path / SPEC))
        return cls(path=path, spec=spec, document=document)

    @property
    def name(self) -> str:
        """By which students ask for it."""
        return self.spec.lab

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {}

    @cached_property
    def digest(self) -> str:
        """By which it is known whether the lab was changed since a student began."""
        read = [SPEC, *(each.scenario for each in self.spec.runs.values())]
        return hashlib.sha256("\0".join(map(self.text, read)).encode()).hexdigest()

    def text(self, name: str) -> str:
        """One of the lab's files as it was when it was first asked for: all works are judged by the same, by whoever
        may not read it any more, too. Raises ``ScenarioError``.
        """
        if name not in self._texts:
            self._texts[name] = text_of(self.path / name)
        return self._texts[name]

    def drawn(self, course: str, student: str) -> dict[str, Scalar]:
        """A student's parameters. Raises ``ScenarioError`` with the line of the one that cannot be."""
        try:
            return drawn(self.spec, course, student)
        except ScenarioError as error:
            path = tuple((error.where or "").split("."))
            message = str(error).removeprefix(f"{error.where}: ")
            raise ScenarioError(message, self.document.place(path)) from error

    def readme(self, parameters: Parameters) -> str:
        """The lab's text, with a student's numbers."""
        return self.filled(README, parameters)

    def scenario(self, run: str, parameters: Parameters) -> str:
        """The scenario of a run, with a student's numbers."""
        return self.filled(self.spec.runs[run].scenario, parameters)

    def filled(self, name: str, parameters: Parameters) -> str:
        """One of the lab's files, with a student's numbers. Raises ``ScenarioError``."""
        return rendered(self.text(name), self.context(parameters), str(self.path / name))

    def starters(self, parameters: Parameters) -> Iterator[tuple[str, bytes]]:
        """The files that students begin with, by name."""
        for file in sorted((self.path / STARTER).glob("*")):
            if file.suffix in TEXTS:
                yield file.name, self.filled(f"{STARTER}/{file.name}", parameters).encode()
            elif file.is_file() and file.stat().st_size <= MOST_FILE:
                yield file.name, file.read_bytes()

    def left_out(self) -> Iterator[str]:
        """What lies in ``starter/`` and no student gets, a line each."""
        for file in sorted((self.path / STARTER).glob("*")):
            if file.is_dir() and file.name != "__pycache__":
                yield f"{STARTER}/{file.name} is a folder: students get the files of {STARTER}/ alone"
            elif file.name in OURS:
                yield f"{STARTER}/{file.name}: that is a name of ours; call it otherwise"
            elif file.suffix not in TEXTS and file.is_file() and file.stat().st_size > MOST_FILE:
                yield f"{STARTER}/{file.name} has more than {MOST_FILE >> 20} MiB: students do not get it"

    def context(self, parameters: Parameters) -> dict[str, Scalar]:
        """What templates know: the parameters, and what the lab says of itself."""
        spec = self.spec
        known: dict[str, Scalar] = {
            "lab": spec.lab,
            "title": spec.title,
            "minutes": spec.minutes,
            "version": spec.version,
        }
        return {**known, **parameters}


def shipped() -> Path:
    """Where the labs lie that come with the testbed: beside its package, in a checkout and where it is installed."""
    return Path(str(files("testbed"))).resolve().parent / "labs"


def folders(from_: Path | None = None) -> dict[str, Path]:
    """The folders of labs by the name of each, in order: those of ``from_`` (a folder of labs, or a lab), and ours."""
    own = _inside(from_) if from_ is not None else {}
    return own | {name: path for name, path in _inside(shipped()).items() if name not in own}


def find(name: str, from_: Path | None = None) -> LabFolder:
    """The lab of that name, out of ``from_`` or of ours. Raises ``ScenarioError`` with the nearest right name."""
    known = folders(from_)
    if name not in known:
        raise ScenarioError(f"no lab is called '{name:.60}'; {nearest(name[:60], [*known] or ['none'])}")
    lab = LabFolder.read(known[name])
    if lab.name != name:
        raise ScenarioError(f"is called '{name}' by its folder and '{lab.name}' here", lab.document.place(("lab",)))
    return lab


def _inside(folder: Path) -> dict[str, Path]:
    if (folder / SPEC).is_file():
        return {LabFolder.read(folder).name: folder}
    if not folder.is_dir():
        raise ScenarioError("there is no such folder of labs", str(folder))
    return {
        _called(each): each for each in sorted(folder.iterdir()) if each.name[:1] != "_" and (each / SPEC).is_file()
    }


def _called(folder: Path) -> str:
    """``rounds`` of ``01-rounds``."""
    return re.sub(r"^[0-9]+-", "", folder.name)
