"""What a check sees: a student's parameters and answers, and the records of the runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from testbed.core.errors import ScenarioError
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.core.records.rounds import RoundRecord
from testbed.core.records.services import ConnectionsRecord, ServiceRecord
from testbed.labs.answers import Answers
from testbed.labs.catalogue import LabFolder
from testbed.labs.definition.draw import Parameters, in_base
from testbed.labs.definition.spec import Scalar
from testbed.labs.evidence.refusals import Wrong
from testbed.labs.workbook import Workbook
from testbed.runfiles import files, samples
from testbed.runfiles.folder import RunFolder
from testbed.runfiles.samples import Recording
from testbed.scenario import document as documents
from testbed.scenario.document import value_at

if TYPE_CHECKING:
    from testbed.packets.story import StoryLine

T = TypeVar("T")


@dataclass(frozen=True, slots=False, kw_only=True)
class LabRun:
    """A run that was found to be the student's own, and valid. Bytes, seconds, bytes per second, at emulated size."""

    name: str
    folder: Path
    summary: Summary

    @property
    def native(self) -> bool:
        """Whether real hosts made it, and not the model."""
        return self.summary.engine != "simulated"

    @property
    def migrations(self) -> list[MigrationRecord]:
        """Each with its figures as in summary.json."""
        return self.summary.migrations

    @property
    def done(self) -> MigrationRecord:
        """The first migration, which is often the only one."""
        if not self.migrations:
            raise Wrong(f"the run '{self.name}' made no migration")
        return self.migrations[0]

    def of(self, settings: Mapping[str, Scalar] | None = None, **by_name: Scalar) -> MigrationRecord:
        """The migration of a matrix that has these settings, by path or by the path's last word: ``of(goal="1s")``."""
        wanted = {**(settings or {}), **by_name}
        for each in self.migrations:
            short = {path.rpartition(".")[2]: value for path, value in each.settings.items()} | each.settings
            if all(str(short.get(path)) == str(value) for path, value in wanted.items()):
                return each
        raise Wrong(f"the run '{self.name}' has no migration of {', '.join(f'{k}={v}' for k, v in wanted.items())}")

    def said(self, path: str) -> Any:
        """What its scenario says at a path, as it was written; None where it says nothing."""
        return value_at(
            documents.parse(files.text(RunFolder(self.folder).scenario, files.MOST_SCENARIO), "").tree, path
        )

    @property
    def rounds(self) -> list[RoundRecord]:
        """Those of the first migration, with the decision after each."""
        return self.done.rounds

    @property
    def total_time_s(self) -> float:
        """Seconds that the first migration took, from asked to released."""
        return self._known(self.done.total_time_s, "total time")

    @property
    def downtime_s(self) -> float:
        """Seconds for which the first migration stopped its guest, by the hypervisor's clock."""
        return self._known(self.done.downtime_s, "downtime")

    @property
    def phases(self) -> dict[str, float]:
        """The parts of its downtime, in seconds."""
        return self.done.downtime_phases_s

    @property
    def write_rate(self) -> float:
        """What the guest of the first migration was seen to write, in bytes a second."""
        return self._known(self.done.vm.achieved_write_rate, "write rate")

    @property
    def connections(self) -> ConnectionsRecord | None:
        """The guest's TCP connections and what became of them; None where there were none to see."""
        return self.done.connections

    @property
    def services(self) -> list[ServiceRecord]:
        """The guest's applications, each with its verdict."""
        return self.done.services

    @cached_property
    def recordings(self) -> list[Recording]:
        """Samples and events of each migration; none of a simulated run."""
        return samples.read(RunFolder(self.folder).samples)

    def told(self, words: str, migration: int = 1) -> float | None:
        """When the packets of a migration first tell of this, in seconds as ``testbed packets`` has them.

        None where they do not, or no packets were kept. Raises ``Wrong`` for what is no capture.
        """
        from testbed.packets.capture import kept_capture

        file = kept_capture(self.folder, number=migration, repeat=1)
        if file not in self._stories and files.there(file):
            self._stories[file] = _story(file)
        return next((line.at for line in self._stories.get(file, ()) if words in line.words), None)

    @cached_property
    def _stories(self) -> "dict[Path, list[StoryLine]]":
        """Those that were asked for: to tell one is to read a whole capture."""
        return {}

    def _known(self, figure: float | None, what: str) -> float:
        if figure is None:
            raise Wrong(f"the run '{self.name}' has no {what}: {self.done.outcome}, {self.done.reason}")
        return figure


class Given(Mapping[str, Scalar]):
    """A student's answers, predictions as the record has them. One that is missing is ``Wrong``, and says why."""

    def __init__(self, answers: Answers, recorded: Mapping[str, Scalar]) -> None:
        self._answers, self._values = answers, {**answers.values, **recorded}

    def __getitem__(self, name: str) -> Scalar:
        if name not in self._values:
            raise Wrong(self._answers.missing(name))
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A student's work, as checks see it: ``lab`` in ``checks.py``."""

    definition: LabFolder
    workbook: Workbook
    parameters: Parameters
    answers: Given
    counted: Mapping[str, Sequence[LabRun]] = field(default_factory=dict)

    def number(self, name: str) -> float:
        """A parameter that is a number, in its own unit."""
        value = self.parameters[name]
        if isinstance(value, str):
            raise TypeError(f"parameter '{name}' is a text")
        return value

    def base(self, name: str) -> float:
        """A parameter in bytes, bytes a second, bits a second or seconds, by its unit."""
        return in_base(self.parameters[name], self.definition.spec.parameters[name].unit)

    def mb(self, name: str) -> float:
        """A parameter that is a size, or a rate of bytes, in MB (a second)."""
        return self.base(name) / 1e6

    def runs(self, name: str) -> Sequence[LabRun]:
        """The runs of that name that count, the newest first."""
        return self.counted.get(name, ())

    def run(self, name: str) -> LabRun:
        """The newest run of that name that counts. Raises ``Wrong`` where there is none."""
        return self.tries(name)[0]

    def tries(self, name: str) -> Sequence[LabRun]:
        """As ``runs``, and at least one. Raises ``Wrong`` where there is none."""
        if not self.runs(name):
            raise Wrong(f"there is no run '{name}' that counts yet: testbed lab run {name}")
        return self.runs(name)

    def text(self, name: str) -> str:
        """A file that was handed in. Never run it: it is a stranger's. Raises ``Wrong``."""
        try:
            return self.workbook.text(name)
        except ScenarioError as error:
            raise Wrong(str(error)) from error

    def tried(self, name: str, how: Callable[..., T], *asked: Any, **options: Any) -> T:
        """What ``how(file, ...)`` finds out about code that was handed in; ``how`` runs it in a sandbox, and nowhere
        else. However many checks ask, it is tried once. Raises ``Wrong`` where there is no such file.
        """
        known: T = _tried(how, (self.workbook.folder / name).absolute(), self.text(name), asked, (*options.items(),))
        return known


def _story(capture: Path) -> "list[StoryLine]":
    from testbed.packets.story import story

    try:
        return story(capture)
    except ScenarioError as error:
        raise Wrong(str(error)) from error


@lru_cache(64)
def _tried(how: Callable[..., T], file: Path, _text: str, asked: tuple[Any, ...], options: tuple[Any, ...]) -> T:
    return how(file, *asked, **dict(options))
