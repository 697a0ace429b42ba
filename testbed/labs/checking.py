"""A student's work, judged: the same for ``lab check`` on the live folder and for ``grade`` on what was handed in."""

from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from testbed.core.errors import PolicyFault, PrerequisiteMissing, ScenarioError
from testbed.core.text.printable import printable
from testbed.labs import answers as forms
from testbed.labs.answers import ANSWERS, Answers
from testbed.labs.catalogue import LabFolder
from testbed.labs.check import LabCheck, NotAsked, Wrong, own
from testbed.labs.definition.draw import Parameters
from testbed.labs.definition.spec import Scalar
from testbed.labs.evidence.seen import Given, LabRun, Work
from testbed.labs.graded import CheckResult, Graded, Standing
from testbed.labs.own_checks import broken_at, checks
from testbed.labs.ownership import JudgedRun, check_lock, judged
from testbed.labs.workbook import Workbook
from testbed.runfiles.summary_reader import SUMMARY
from testbed.sandbox import CodeFault


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What is known before any check of the lab is asked. ``runs`` by name, the newest first."""

    work: Work
    runs: Mapping[str, Sequence[JudgedRun]]
    answers: Answers
    flags: tuple[str, ...]

    @property
    def all(self) -> list[JudgedRun]:
        return [each for runs in self.runs.values() for each in runs]


def graded(lab: LabFolder, workbook: Workbook, loaded: Sequence[LabCheck] | None = None) -> Graded:
    """What all checks of a lab (``loaded``, or as its file now has them) find in a student's work. What is wrong with
    the work is in what is returned; raises ``ScenarioError`` for what is wrong with the lab itself.
    """
    asked = checks(lab) if loaded is None else loaded
    try:
        check_lock(lab, workbook.lock)
        found = _found(lab, workbook)
    except ScenarioError as error:
        return _result(lab, workbook, fault=printable(str(error)))
    results: dict[str, CheckResult] = {}
    for each in asked:
        results[each.name] = _own(found) if each is own else _judge(each, found, results)
    return _result(lab, workbook, (*results.values(), *_read_by_teacher(lab, found)), _flags(found))


def counted_runs(lab: LabFolder, workbook: Workbook) -> dict[str, LabRun]:
    """The newest run of each name that counts, as it is judged. Raises ``ScenarioError``."""
    check_lock(lab, workbook.lock)
    return {name: runs[0] for name, runs in _found(lab, workbook).work.counted.items() if runs}


def _found(lab: LabFolder, workbook: Workbook) -> _Found:
    parameters = lab.drawn(workbook.lock.course, workbook.lock.student)
    given = forms.read(workbook.folder / ANSWERS, lab.spec)
    runs = {name: _looked_at(lab, workbook, parameters, name) for name in lab.spec.runs}
    counted = {name: _counted(known, lab.spec.runs[name].invalid_too) for name, known in runs.items()}
    given, recorded, flags = _predictions(lab, given, counted)
    work = Work(
        definition=lab, workbook=workbook, parameters=parameters, answers=Given(given, recorded), counted=counted
    )
    return _Found(work=work, runs=runs, answers=given, flags=tuple(flags))


def _looked_at(lab: LabFolder, workbook: Workbook, parameters: Parameters, name: str) -> list[JudgedRun]:
    """The newest that counts and those after it; of a run that students set something of, all."""
    seen: list[JudgedRun] = []
    for folder in workbook.runs.get(name, ()):
        seen.append(judged(lab, workbook.lock, parameters, name, folder))
        if not lab.spec.runs[name].set and (lab.spec.runs[name].invalid_too or not seen[-1].invalid):
            break
    return seen


def _counted(runs: Sequence[JudgedRun], invalid_too: bool = False) -> list[LabRun]:
    return [
        LabRun(name=each.name, folder=each.folder, summary=each.summary)
        for each in runs
        if each.summary is not None and not each.foreign and (invalid_too or not each.invalid)
    ]


def _predictions(
    lab: LabFolder, given: Answers, counted: Mapping[str, Sequence[LabRun]]
) -> tuple[Answers, dict[str, Scalar], list[str]]:
    """As the records have them, the newest of each; and where ``answers.yaml`` now says something else. What a record
    lacks is not answered, whatever ``answers.yaml`` says: that may have been written after the run.
    """
    recorded: dict[str, Scalar] = {}
    lacking: dict[str, str] = {}
    for run in (each for runs in counted.values() for each in reversed(runs)):
        known = run.summary.lab.predictions if run.summary.lab else {}
        wanted = lab.spec.predictions(run.name)
        taken = forms.checked({name: known[name] for name in wanted if name in known}, lab.spec).values
        recorded |= taken
        for name in (each for each in wanted if each not in taken):
            lacking[name] = f"{run.folder.name}: the record has no prediction of '{name}'; 'testbed lab run' writes it"
    flags = [*lacking.values()]
    for name, value in recorded.items():
        if name in given.values and given.values[name] != value:
            flags.append(f"{ANSWERS} now says {given.values[name]!s:.40} for '{name}'; the record has {value!s:.40}")
    values = {name: value for name, value in given.values.items() if name not in lacking}
    return replace(given, values=values, faults={**given.faults, **lacking}), recorded, flags


def _own(found: _Found) -> CheckResult:
    """Whose the runs are. Without any there is nothing to judge."""
    foreign = [each.foreign for each in found.all if each.foreign]
    missing = [
        name for name, run in found.work.definition.spec.runs.items() if not found.runs[name] and not run.optional
    ]
    asked = len(found.work.definition.spec.runs)
    if foreign:
        return _of(own, "wrong", reason=foreign[0])
    if not _required(found.work.definition):
        return _of(own, "right", own.points)
    if not found.all:
        return _of(own, "wrong", reason=_no_run(found, missing[0] if missing else ""))
    if not _counted(found.all):
        return _of(own, "not asked", reason=f"{AGAIN}: {found.all[0].invalid}")
    if missing:
        earned = own.points * (asked - len(missing)) // asked
        return _of(own, "partly", earned, _no_run(found, missing[0], f" '{missing[0]}'"))
    return _of(own, "right", own.points)


def _no_run(found: _Found, name: str, called: str = "") -> str:
    """What is to be done about it, and why a folder that is there is none."""
    begun = found.work.workbook.broken_off.get(name)
    without = f" (there is no {SUMMARY} in {begun.name})" if begun else ""
    return f"there is no run{called} yet{without}: testbed lab run {name}".rstrip()


def _judge(check: LabCheck, found: _Found, before: Mapping[str, CheckResult]) -> CheckResult:
    for gate in (own, *check.after):
        standing = before[gate.name].standing
        if standing == "not asked":
            return _of(check, "not asked", reason=before[gate.name].reason)
        if standing == "wrong":
            return _of(check, "wrong", reason=f"first '{gate.name}' has to be right")
    name = check.run or next(iter(_required(found.work.definition)), None)
    if name is None:
        return _asked(check, found.work, None)
    return _of_run(check, found, name)


def _required(lab: LabFolder) -> list[str]:
    """The runs without which a work is not complete."""
    return [name for name, run in lab.spec.runs.items() if not run.optional]


def _of_run(check: LabCheck, found: _Found, name: str) -> CheckResult:
    """Asked of the newest run of that name that counts."""
    runs = found.work.runs(name)
    invalid = [each for each in found.runs[name] if each.invalid]
    if not runs and invalid:  # what the student chose counts as no run; what the machine did, costs nothing
        by_choice = all(each.by_choice for each in invalid) and not check.native
        return _of(check, "wrong" if by_choice else "not asked", reason=f"{AGAIN}: {invalid[0].invalid}")
    if not runs:
        without = check.native and found.work.definition.spec.runs[name].optional  # who has no root cannot make it
        standing: Standing = "not asked" if without else "wrong"
        return _of(check, standing, reason=_no_run(found, name, f" '{name}'"))
    if check.native and not runs[0].native:
        return _of(check, "not asked", reason="it is of real hosts, and this run was simulated")
    return _asked(check, found.work, runs[0])


def _asked(check: LabCheck, work: Work, run: LabRun | None) -> CheckResult:
    try:
        _says_nothing(check.asked(work, run))
    except (NotAsked, PrerequisiteMissing) as reason:
        return _of(check, "not asked", reason=str(reason))
    except (CodeFault, PolicyFault) as fault:  # of the student's own code, in its sandbox
        return _of(check, "wrong", reason=_in_folder(work, str(fault)))
    except Wrong as wrong:
        earned = int(check.points * min(max(wrong.share, 0.0), 1.0) + 1e-9)
        return _of(check, "partly" if earned else "wrong", earned, _in_folder(work, wrong.reason), wrong.hint)
    except (Exception, SystemExit) as fault:  # noqa: BLE001 - it is the teacher's program, and the work of others is judged by it, too
        broken = broken_at(work.definition, fault)
        return _of(check, "not asked", reason=f"{BROKE}, {broken}; tell your teacher")
    return _of(check, "right", check.points)


def _says_nothing(answer: object) -> None:
    """What is wrong is raised: a check that returns an opinion, or one that was never run, would pass everybody."""
    if answer is None:
        return
    if isinstance(answer, Coroutine):
        answer.close()  # else Python warns that nobody awaited it
    said = repr(answer) if isinstance(answer, bool | int | float | str) else f"a {type(answer).__name__}"
    raise TypeError(f"it returned {said:.60}; to find an answer wrong, raise Wrong(...)")


def _in_folder(work: Work, reason: str) -> str:
    """The student's files by their names alone."""
    return reason.replace(f"{work.workbook.folder.absolute()}/", "")


BROKE = "the check itself broke"
"""Begins the reason of one that did."""
AGAIN = "run it again"
"""Begins the reason of one whose run is not valid."""


def _read_by_teacher(lab: LabFolder, found: _Found) -> Iterator[CheckResult]:
    for name, question in lab.spec.answers.items():
        if question.read_by is None:
            continue
        made = LabCheck(name=name, points=question.points, sentence=question.ask, asked=lambda _work, _run: None)
        if name in found.answers.values:
            yield _of(made, "by the teacher", reason="your teacher reads it")
        else:
            yield _of(made, "wrong", reason=found.answers.missing(name))


def _flags(found: _Found) -> list[str]:
    flags = [each.foreign or each.doubt for each in found.all if each.foreign or each.doubt]
    if found.work.workbook.lock.digest not in ("", found.work.definition.digest):
        flags.append("the lab was changed since this was started, or its lock was")
    return [printable(each) for each in (*flags, *found.flags, *found.answers.strange)]


def _of(check: LabCheck, standing: Standing, earned: int = 0, reason: str = "", hint: str = "") -> CheckResult:
    return CheckResult(
        check=check.name,
        sentence=check.sentence,
        points=check.points,
        earned=earned,
        standing=standing,
        reason=printable(reason),
        hint=hint,
    )


def _result(
    lab: LabFolder, workbook: Workbook, results: Sequence[CheckResult] = (), flags: Sequence[str] = (), fault: str = ""
) -> Graded:
    return Graded(
        lab=lab.name,
        version=str(lab.spec.version),
        student=workbook.lock.student,
        course=workbook.lock.course,
        results=tuple(results),
        flags=tuple(flags),
        fault=fault,
    )
