"""A student's work, made of a lab's reference answers: the folder, its runs, and what is answered of them."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed.core.errors import ScenarioError
from testbed.core.settings import Settings
from testbed.labs.answers import ANSWERS
from testbed.labs.catalogue import LabFolder
from testbed.labs.checking import graded
from testbed.labs.definition.render import rendered
from testbed.labs.definition.spec import Scalar
from testbed.labs.evidence.seen import LabRun
from testbed.labs.graded import Graded
from testbed.labs.proving import reference
from testbed.labs.proving.reference import RightWork
from testbed.labs.running import carried_out, prepared
from testbed.labs.starting import prune, start
from testbed.labs.workbook import RUNS, Workbook
from testbed.runfiles import summary_reader
from testbed.runfiles.folder import RunFolder

ATTEMPTS = 3
"""At a run that is valid: a machine may have other work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeWork:
    """A student's folder with the runs in it; answers are put in as often as one likes. ``mistaken``: what is made in
    it is a mistake, so that a run need not be valid where the lab takes one that is not.
    """

    lab: LabFolder
    folder: Path
    student: str
    course: str
    engine: str
    mistaken: bool = False

    def begin(self, work: RightWork, like: Path | None = None, again: Collection[str] = ()) -> None:
        """The folder, with what is handed in and every run that the work has; of a work made before (``like``) all runs
        but ``again`` are taken over.
        """
        self.start(work)
        kept = Workbook.read(like).runs if like else {}
        for name in self.lab.spec.runs:
            if name in kept and name not in again:
                for made in kept[name]:
                    shutil.copytree(made, self.folder / RUNS / made.name)
                continue
            for settings in work.runs.get(name, [{}]):
                self._run(name, settings)

    def untouched(self) -> Graded:
        """What the folder earns as students are given it."""
        self.start(RightWork())
        return graded(self.lab, Workbook.read(self.folder))

    def start(self, work: RightWork) -> None:
        """The folder, with what is handed in and no run."""
        start(self.lab, self.student, self.course, self.folder)
        for name, source in work.files.items():
            (self.folder / name).write_bytes((self.lab.path / source).read_bytes())

    def judged(self, work: RightWork) -> Graded:
        """What the work's answers earn with the runs that there are."""
        self.answer(work)
        return graded(self.lab, Workbook.read(self.folder))

    def answer(self, work: RightWork, **besides: Scalar) -> None:
        """Writes down the work's answers, of the runs that there are, and ``besides``; predictions into the records."""
        runs = self._runs()
        known: dict[str, Any] = {**self._parameters(), "runs": runs}
        known["run"] = next(iter(runs.values()))[0] if runs else None
        values = {**reference.answered(self.lab, work, known), **besides}
        (self.folder / ANSWERS).write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
        for name, made in runs.items():
            for each in made:
                self._predicted(each, {key: values[key] for key in self.lab.spec.predictions(name) if key in values})

    def _run(self, name: str, settings: Settings) -> None:
        if self.lab.spec.runs[name].optional and self.engine == "simulated":
            return  # a work without it is complete, and of some the model knows nothing
        known = self.lab.context(self._parameters())
        given = [f"{path}={rendered(str(value), known, str(self.lab.path))}" for path, value in settings.items()]
        why: list[str] = []
        for _ in range(ATTEMPTS):
            run = prepared(self.lab, Workbook.read(self.folder), name, given, unanswered=True)
            summary = carried_out(run, engine=self.engine, page=False)
            if summary.valid or (self.mistaken and self.lab.spec.runs[name].invalid_too):
                return
            prune(run.out.parent, [run.out.name])
            why = summary.invalid_reasons
        raise ScenarioError(f"the run '{name}' of {self.student} is not valid: {'; '.join(why)}")

    def _parameters(self) -> dict[str, Any]:
        return self.lab.drawn(self.course, self.student)

    def _runs(self) -> dict[str, list[LabRun]]:
        book = Workbook.read(self.folder)
        return {
            name: [LabRun(name=name, folder=each, summary=summary_reader.as_written(each)) for each in folders]
            for name in self.lab.spec.runs
            if (folders := book.runs.get(name, ()))
        }

    def _predicted(self, run: LabRun, values: dict[str, Any]) -> None:
        if run.summary.lab is not None:
            run.summary.lab.predictions = values
        RunFolder(run.folder).write_summary(run.summary)
