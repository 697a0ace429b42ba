"""A lab is proved: everybody's numbers can be, the right answers earn all points, each mistake its own hint, and what
students are given next to nothing.
"""

from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.engines.simulated import run as simulated
from testbed.labs.answers import form
from testbed.labs.catalogue import LabFolder
from testbed.labs.check import own
from testbed.labs.checking import BROKE
from testbed.labs.graded import Graded
from testbed.labs.own_checks import checks, points
from testbed.labs.proving import reference
from testbed.labs.proving.made_work import MadeWork
from testbed.labs.proving.reference import RightWork, WrongWork
from testbed.linux.files.scratch import scratch
from testbed.scenario import load

REFERENCES = 3
"""Students whose work is made and judged, right and wrong."""
GIVEN = 0.1
"""Of the points at most, besides those for a record of one's own, for a folder that nobody has touched."""
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
    proof.faults += lab.left_out()
    with scratch("lab") as folder:
        _spread(lab, names, folder, proof)
        for name in names[:REFERENCES]:
            made = MadeWork(lab=lab, folder=folder / name, student=name, course=COURSE, engine=engine)
            _untouched(made, proof)
            _references(made, proof, quick)
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
            with chdir(folder), _named(file, lab.path / run.scenario):
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


@contextmanager
def _named(file: Path, as_: Path) -> Iterator[None]:
    """A fault in a file that is filled in for a while is told of the lab's own, of which it was made."""
    try:
        yield
    except ScenarioError as error:
        raise ScenarioError(str(error).replace(str(file), str(as_))) from error


def _untouched(made: MadeWork, proof: LabProof) -> None:
    """The work of a student who has only begun."""
    result = replace(made, folder=made.folder.with_name(f"{made.student}-untouched")).untouched()
    proof.said.append(f"{made.student}: untouched, the folder earns {result.score} of {result.most}")
    given = [each for each in result.results if each.earned and each.check != own.name]
    if sum(each.earned for each in given) > GIVEN * result.most:
        earning = ", ".join(f"'{each.check}' {each.earned}" for each in given)
        proof.faults.append(f"{made.student}, untouched: what students are given earns too much: {earning}")


def _references(made: MadeWork, proof: LabProof, quick: bool) -> None:
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
        so = replace(made, folder=made.folder.with_name(f"{student}-{name}"), mistaken=True) if anew else made
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
