"""A scenario that was found right: its plans, and itself written out in full.

load(name or path) ── document ── extends ── overrides ── matrix ── models ── plans
                      file:line   merged     --set        combos    checked   emulated size
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from testbed.core.errors import ScenarioError
from testbed.core.own.file import path_of
from testbed.core.plan import Plan
from testbed.core.records.claims import Claim
from testbed.core.text.yaml_text import Tree
from testbed.linux.processes.interrupts import deferring
from testbed.scenario import extends
from testbed.scenario.document import Document, own_files
from testbed.scenario.faults import one_line, only_incomplete, scenario_error
from testbed.scenario.matrix.axes import Combination, axes_of, expand
from testbed.scenario.matrix.overrides import Setting, override
from testbed.scenario.models import LONGEST_NAME, Root
from testbed.scenario.plans import plan
from testbed.scenario.published import Published, claims, fault_of, read_published

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""In C where there is one: a fifth of the time, and the same text."""
NAMED = (("vm", "workload"), ("vm", "services"), ("migration", "policy"))
"""Keys that hold a name and what belongs to that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One experiment. ``first`` is its first combination checked, in real-world size.

    ``matrix`` is as it was written; ``axes`` are its paths, those of its cases too, each with its values.
    """

    first: Root
    matrix: Tree
    axes: dict[str, list[Any]]
    claimed: tuple[Published, ...]
    _plans: tuple[Plan, ...]
    _written: Tree = field(compare=False, default_factory=dict)

    @property
    def name(self) -> str:
        """Its name, also that of its results' folder."""
        return self.first.name

    @property
    def title(self) -> str:
        """One line for people; may be empty."""
        return self.first.title

    @property
    def engine(self) -> str:
        """``native`` unless it says otherwise."""
        return self.first.engine

    @property
    def seed(self) -> int:
        """What all randomness begins from."""
        return self.first.seed

    def plans(self, repeat: int = 1) -> list[Plan]:
        """Every combination of the matrix in order, each ``repeat`` times. Raises ``ScenarioError`` as ``seed_of``."""
        return [each.repeated(count) for each in self._plans for count in range(1, repeat + 1)]

    @property
    def published(self) -> list[Claim]:
        """What others have published, to hold the run against."""
        return [claim for each in self.claimed for claim in claims(each, self.axes)]

    def resolved(self) -> Tree:
        """The scenario after ``--set`` and ``--seed``, complete with defaults, as it is written."""
        with deferring():  # what is raised in a serializer comes out as a fault of pydantic's
            whole: Tree = self.first.model_dump(mode="json", exclude_none=True, exclude={"matrix", "published"})
        for part, key in NAMED:
            if any(re.fullmatch(rf"{part}\.{key}(\.[0-9]+)?(\.name)?", axis) for axis in self.axes):
                whole[part].pop(key)  # another one's defaults may not be its own
                whole[part] |= {key: self._written[key]} if self._written[key] else {}
        if self.matrix:
            whole["matrix"] = self.matrix
        if self.claimed:
            whole["published"] = [each.model_dump(mode="json", exclude_defaults=True) for each in self.claimed]
        return whole

    def resolved_yaml(self) -> str:
        """What ``resolved`` has, as text. Loading it gives the same plans."""
        return as_text(self.resolved())


def as_text(resolved: Tree) -> str:
    """A scenario as YAML, in the order of its keys."""
    return yaml.dump(resolved, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=120)


def load(
    name_or_path: str | Path,
    *,
    overrides: Sequence[Setting] = (),
    seed: int | None = None,
    own_code: Callable[[Path], None] = lambda _file: None,
) -> Scenario:
    """A scenario by its name or file. Raises ``ScenarioError``: file, line, what was expected, nearest right word.

    ``overrides``: ``PATH=VALUE`` as on the command line, or a path and a value of Python's, which is taken as it is.
    ``own_code`` is told each file of code that the scenario names, before any of them is run; what it raises ends it.
    """
    try:
        document = named_document(extends.whole(file_of(name_or_path)), Path(name_or_path).stem)
        return resolve(document, overrides, seed, own_code)
    except ScenarioError as error:
        raise ScenarioError(one_line(str(error))) from error


def resolve(
    document: Document,
    overrides: Sequence[Setting] = (),
    seed: int | None = None,
    own_code: Callable[[Path], None] = lambda _file: None,
) -> Scenario:
    """The scenario that a whole document is, as ``load`` has it. Raises ``ScenarioError``."""
    published = read_published(document, axes_of(document))
    for setting in overrides:
        document = override(document, setting)
    if seed is not None:
        document = document.with_value(("seed",), seed, f"--seed {seed}")
    combinations: list[Combination] = []
    told = _told_once(own_code)
    told(document)
    check_base(document)
    for each in expand(document, str(document.tree.get("name"))):
        told(each.document)
        combinations.append(each)
    checked = [(_check(each), each) for each in combinations]
    axes = axes_of(document)
    return Scenario(
        first=checked[0][0],
        matrix=document.tree.get("matrix") or {},
        axes=axes,
        claimed=tuple(each for each in published if fault_of(each, axes) is None),
        _plans=tuple(plan(root, each.name, each.settings, each.document) for root, each in checked),
        _written={key: (document.tree.get(part) or {}).get(key) for part, key in NAMED},
    )


def _told_once(own_code: Callable[[Path], None]) -> Callable[[Document], None]:
    """What tells of each file that a document would have run, if it has not told of it before."""
    told: set[Path] = set()

    def tell(document: Document) -> None:
        for _, name in own_files(document.tree):
            file = path_of(name)
            if file not in told and file.is_file():
                told.add(file)
                own_code(file)

    return tell


def _check(combination: Combination) -> Root:
    try:
        return Root.model_validate(combination.document.tree)
    except ValidationError as error:
        raise scenario_error(error, combination.document, Root) from error


def named_document(document: Document, stem: str) -> Document:
    """The document with the name of its file, if it has none of its own."""
    return document if "name" in document.tree else document.with_value(("name",), named(stem), document.place(()))


def named(stem: str) -> str:
    """A scenario's name from a file's: ``hello (1)`` is ``hello-1``; accents go; if nothing is left, ``scenario``."""
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub("[^A-Za-z0-9._-]+", "-", plain)[:LONGEST_NAME].strip("._-") or "scenario"


def check_base(document: Document, *, swept: bool = False) -> None:
    """Refuse what is wrong though the matrix, or a sweep (``swept``), replaces it, or nobody would be told. What these
    give may be missing.
    """
    if not document.tree.get("matrix") and not swept:
        return
    tree = {key: value for key, value in document.tree.items() if key not in ("matrix", "published")}
    try:
        Root.model_validate(tree)
    except ValidationError as error:
        if not only_incomplete(error):
            raise scenario_error(error, document, Root) from error


def file_of(name_or_path: str | Path) -> Path:
    """The file that is meant. A word without slash or ``.yaml`` names a scenario that comes with the testbed; what is a
    path to Python is a file. Raises ``ScenarioError`` for a name that none has.
    """
    if isinstance(name_or_path, Path):
        return name_or_path
    return Path(name_or_path) if extends.is_file(name_or_path) else extends.by_name(name_or_path)
