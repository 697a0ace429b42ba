"""A lab is proved: everybody's numbers can be, the right answers earn all points, and each mistake its own hint."""

import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import chdir
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from testbed.core.errors import ScenarioError
from testbed.engines.simulated import run as simulated
from testbed.labs.answers import ANSWERS, form
from testbed.labs.catalogue import LabFolder
from testbed.labs.checking import BROKE, graded
from testbed.labs.definition.render import rendered
from testbed.labs.evidence.seen import LabRun
from testbed.labs.graded import Graded
from testbed.labs.own_checks import checks, points
from testbed.labs.proving import reference
from testbed.labs.proving.reference import RightWork, WrongWork
from testbed.labs.running import carried_out, prepared
from testbed.labs.starting import prune, start
from testbed.labs.workbook import RUNS, Workbook
from testbed.runfiles import summary_reader
from testbed.runfiles.folder import RunFolder
from testbed.scenario import load

REFERENCES = 3
"""Students whose work is made and judged, right and wrong."""
ATTEMPTS = 3
"""At a run that is valid: a machine may have other work."""
COURSE = "lab-test"


@dataclass(slots=True, kw_only=True)
class LabProof:
    """What was found: ``said`` for people, and every ``fault`` in a line."""

    said: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def prove(lab: LabFolder, students: int = 200, engine: str = "simulated", quick: bool = False) -> LabProof:
    """Tests a lab. ``engine``: what makes the reference runs; ``quick``: mistakes that need runs of their own are left
    out. Raises ``ScenarioError`` for what cannot be read.
    """
    proof = LabProof()
    names = [f"student-{number:03}" for number in range(1, students + 1)]
    proof.said.append(f"{lab.name}: {len(checks(lab))} checks, {points(lab)} points in all")
    with tempfile.TemporaryDirectory(prefix="fast-motion-lab-") as folder:
        _spread(lab, names, Path(folder), proof)
        for name in names[:REFERENCES]:
            _references(_Made(lab=lab, folder=Path(folder) / name, student=name, engine=engine), proof, quick)
    return proof


def _spread(lab: LabFolder, students: list[str], folder: Path, proof: LabProof) -> None:
    """Every student's files are filled in and runs predicted."""
    different, rounds, times = set(), list[int](), list[float]()
    form(lab.spec, "nobody")
    for student in students:
        parameters = lab.drawn(COURSE, student)
        different.add(str({name: parameters[name] for name, p in lab.spec.parameters.items() if not p.seed}))
        lab.readme(parameters)
        for starter, content in lab.starters(parameters):
            (folder / starter).write_bytes(content)
        for name, run in lab.spec.runs.items():
            file = folder / run.scenario
            file.write_text(lab.scenario(name, parameters), encoding="utf-8")
            with chdir(folder):
                plans = load(file).plans()
            for plan in plans:
                record = simulated(plan)
                rounds.append(len(record.rounds))
                times += [record.total_time_s] if record.total_time_s is not None else []
                if not record.valid:
                    proof.faults.append(f"{student}: {name}, {plan.name}: {'; '.join(record.invalid_reasons)}")
    proof.said.append(
        f"{len(students)} students: {len(different)} different sets of numbers"
        + (f"; {min(rounds)} to {max(rounds)} rounds" if rounds else "")
        + (f", {min(times):.1f} to {max(times):.1f} s" if times else "")
    )


def _references(made: "_Made", proof: LabProof, quick: bool) -> None:
    """The right work of one student, and each mistake in its place."""
    lab, student, work = made.lab, made.student, reference.right(made.lab)
    made.begin(work)
    result = made.judged(work)
    proof.faults += [f"{student}, right answers: {each}" for each in _not_all(lab, result, made.engine)]
    proof.said.append(f"{student}: right answers earn {result.score} of {result.most}")
    for name, mistake in reference.wrong(lab).items():
        anew = bool(mistake.runs or mistake.files)
        if quick and anew:
            continue
        whole = RightWork(
            answers=work.answers | mistake.answers, runs=work.runs | mistake.runs, files=work.files | mistake.files
        )
        so = replace(made, folder=made.folder.with_name(f"{student}-{name}")) if anew else made
        if anew:
            so.begin(whole, like=None if mistake.files else made.folder, again=mistake.runs)
        result = so.judged(whole)
        proof.said.append(f"{student}: wrong/{name} earns {result.score} of {result.most}")
        proof.faults += [f"{student}, wrong/{name}: {each}" for each in _not_hinted(mistake, result)]


def _not_all(lab: LabFolder, result: Graded, engine: str) -> Iterator[str]:
    if result.fault:
        yield result.fault
    native = {check.name for check in checks(lab) if check.native}
    for each in result.results:
        excused = each.standing == "not asked" and engine == "simulated" and not each.reason.startswith(BROKE)
        if each.standing in ("wrong", "partly") or (each.standing == "not asked" and not excused):
            yield f"'{each.check}' earns {each.earned} of {each.points}: {each.reason}"
        elif each.standing == "right" and each.check in native and engine == "simulated":
            yield f"'{each.check}' is for real hosts, and was asked of a simulated run"
    yield from result.flags


def _not_hinted(mistake: WrongWork, result: Graded) -> Iterator[str]:
    if result.fault:
        yield result.fault
    hints = {each.check: each.hint for each in result.results if each.hint}
    standings = {each.check: each.standing for each in result.results}
    for check in mistake.check:
        if mistake.hint not in hints.get(check, "") and standings.get(check) != "not asked":
            yield f"'{check}' should hint '{mistake.hint}', and says '{hints.get(check, '')}'"
    for check in hints.keys() - set(mistake.check):
        yield f"'{check}' hints as well: {hints[check]}"
    yield from (f"{each.check}: {each.reason}" for each in result.results if each.reason.startswith(BROKE))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A student's folder with the runs in it; answers are put in as often as one likes."""

    lab: LabFolder
    folder: Path
    student: str
    engine: str

    def begin(self, work: RightWork, like: Path | None = None, again: Collection[str] = ()) -> None:
        """The folder, with what is handed in and every run that the work has; of a work made before (``like``) all runs
        but ``again`` are taken over.
        """
        start(self.lab, self.student, COURSE, self.folder)
        kept = Workbook.read(like).runs if like else {}
        for name, source in work.files.items():
            (self.folder / name).write_bytes((self.lab.path / source).read_bytes())
        for name in self.lab.spec.runs:
            if name in kept and name not in again:
                for made in kept[name]:
                    shutil.copytree(made, self.folder / RUNS / made.name)
                continue
            for settings in work.runs.get(name, [{}]):
                self._run(name, settings)

    def judged(self, work: RightWork) -> Graded:
        """What the work's answers earn with the runs that there are."""
        book, runs = self._runs()
        known: dict[str, Any] = {**self._parameters(), "runs": runs}
        known["run"] = next(iter(runs.values()))[0] if runs else None
        values = reference.answered(self.lab, work, known)
        (self.folder / ANSWERS).write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
        for name, made in runs.items():
            for each in made:
                self._predicted(each, {key: values[key] for key in self.lab.spec.predictions(name) if key in values})
        return graded(self.lab, book)

    def _run(self, name: str, settings: dict[str, Any]) -> None:
        if self.lab.spec.runs[name].optional and self.engine == "simulated":
            return  # a work without it is complete, and of some the model knows nothing
        known = self.lab.context(self._parameters())
        given = [f"{path}={rendered(str(value), known, str(self.lab.path))}" for path, value in settings.items()]
        why: list[str] = []
        for _ in range(ATTEMPTS):
            run = prepared(self.lab, Workbook.read(self.folder), name, given, unanswered=True)
            summary = carried_out(run, engine=self.engine, page=False)
            if summary.valid:
                return
            prune(run.out.parent, [run.out.name])
            why = summary.invalid_reasons
        raise ScenarioError(f"the run '{name}' of {self.student} is not valid: {'; '.join(why)}")

    def _parameters(self) -> dict[str, Any]:
        return self.lab.drawn(COURSE, self.student)

    def _runs(self) -> tuple[Workbook, dict[str, list[LabRun]]]:
        book = Workbook.read(self.folder)
        return book, {
            name: [LabRun(name=name, folder=each, summary=summary_reader.as_written(each)) for each in folders]
            for name in self.lab.spec.runs
            if (folders := book.runs.get(name, ()))
        }

    def _predicted(self, run: LabRun, values: dict[str, Any]) -> None:
        if run.summary.lab is not None:
            run.summary.lab.predictions = values
        RunFolder(run.folder).write_summary(run.summary)
