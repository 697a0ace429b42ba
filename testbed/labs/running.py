"""A run of a lab: what is asked before it is there first, and goes into its record."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir, suppress
from dataclasses import dataclass
from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.core.events import Observer
from testbed.core.records.lab import LabRecord
from testbed.core.records.migration import Summary
from testbed.core.text.nearest import nearest
from testbed.experiment.run import run_scenario
from testbed.labs import answers as forms
from testbed.labs.answers import ANSWERS, Answers
from testbed.labs.catalogue import LabFolder
from testbed.labs.definition.spec import Scalar
from testbed.labs.ownership import check_lock, differing
from testbed.labs.starting import prune
from testbed.labs.workbook import Workbook, surplus
from testbed.runfiles import files, summary_reader
from testbed.runfiles.folder import RunFolder
from testbed.scenario import Scenario, load
from testbed.scenario import document as documents


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRun:
    """A run that may begin. ``stays``: what the student should know of predictions that stay as they were."""

    workbook: Workbook
    scenario: Scenario
    record: LabRecord
    out: Path
    capture: bool = False
    stays: tuple[str, ...] = ()


def prepared(
    lab: LabFolder,
    workbook: Workbook,
    name: str | None = None,
    settings: Sequence[str] = (),
    *,
    unanswered: bool = False,
    own_code: Callable[[Path], None] = lambda _file: None,
) -> PreparedRun:
    """The next run ``name``, or the first that there is none of. ``unanswered``: without predictions.

    Raises ``ScenarioError``: an answer is wanted first, the scenario is not the student's, a path may not be set.
    """
    name = _named(lab, workbook, name)
    lock = workbook.lock
    check_lock(lab, lock)
    _check_settings(lab, name, settings)
    file = (workbook.folder / lab.spec.runs[name].scenario).absolute()
    _check_scenario(lab, workbook, name, file)
    predictions: Mapping[str, Scalar] = {}
    stays: list[str] = []
    if not unanswered:
        predictions = _predictions(lab, workbook, name, stays)
    with chdir(workbook.folder):  # a policy of the student's own is named from there
        scenario = load(file, overrides=settings, own_code=own_code)
    record = LabRecord(
        id=lab.name,
        version=lab.spec.version,
        student=lock.student,
        course=lock.course,
        run=name,
        predictions=dict(predictions),
    )
    out, capture = workbook.next_run(name), lab.spec.runs[name].capture
    return PreparedRun(
        workbook=workbook, scenario=scenario, record=record, out=out, capture=capture, stays=tuple(stays)
    )


def carried_out(
    run: PreparedRun,
    *,
    engine: str | None = None,
    observer: Observer = lambda _event: None,
    say: Callable[[str], None] = lambda _line: None,
    page: bool = True,
) -> Summary:
    """Makes it. Once it has a record, of its name the last five are kept, and the newest that is valid. Raises as
    ``run_scenario`` does.
    """
    chosen = engine or run.scenario.engine
    out = run.out.absolute()
    try:
        with chdir(run.workbook.folder):
            return run_scenario(
                run.scenario,
                out=out,
                engine=chosen,
                capture=run.capture and chosen != "simulated",
                observer=observer,
                say=say,
                lab=run.record,
                page=page,
            )
    finally:
        with suppress(OSError):
            out.rmdir()  # one into which nothing was written takes no number
        if RunFolder(out).summary.is_file() and (old := surplus(run.workbook.folder, run.record.run)):
            prune(run.out.parent, old)


def _named(lab: LabFolder, workbook: Workbook, name: str | None) -> str:
    known = list(lab.spec.runs)
    if not known:
        raise ScenarioError(f"lab '{lab.name}' has no runs; its README.md says what to do")
    if name is None:
        return next((each for each in known if not workbook.runs.get(each)), known[0])
    if name not in known:
        raise ScenarioError(f"lab '{lab.name}' has no run '{name:.40}'; {nearest(name[:40], known)}")
    return name


def _check_settings(lab: LabFolder, name: str, settings: Sequence[str]) -> None:
    free = lab.spec.runs[name].set
    for setting in settings:
        path = setting.partition("=")[0].strip()
        if not any(path == each or path.startswith(f"{each}.") for each in free):
            allowed = f"you may set {', '.join(free)}" if free else "nothing of this run may be set"
            raise ScenarioError(f"'{path:.60}' stays as it is in the run '{name}'; {allowed}", "--set")


def _check_scenario(lab: LabFolder, workbook: Workbook, name: str, file: Path) -> None:
    """Before an hour's work is made with a scenario that nobody would take."""
    parameters = lab.drawn(workbook.lock.course, workbook.lock.student)
    wanted = documents.parse(lab.scenario(name, parameters), "the scenario")
    made = documents.parse(files.text(file, files.MOST_SCENARIO), str(file))
    fault = next(differing(wanted, made, lab.spec.runs[name].set), None)
    if fault:
        raise ScenarioError(f"{fault}; put it back", str(file))


def _predictions(lab: LabFolder, workbook: Workbook, name: str, stays: list[str]) -> dict[str, Scalar]:
    """Those that were recorded once stay; the others are in ``answers.yaml``. Raises ``ScenarioError``."""
    wanted = lab.spec.predictions(name)
    given = forms.read(workbook.folder / ANSWERS, lab.spec)
    known = _recorded(lab, workbook)
    missing = [each for each in wanted if each not in known and each not in given.values]
    if missing:
        raise ScenarioError(_first(missing, given))
    for each in wanted:
        if each in known and each in given.values and known[each] != given.values[each]:
            stays.append(f"your prediction of '{each}' stays {known[each]!s:.60}: a run has shown you more since")
    return {each: known.get(each, given.values.get(each, "")) for each in wanted}


def _first(missing: list[str], given: Answers) -> str:
    faulty = [each for each in missing if each in given.faults]
    if faulty:
        return given.faults[faulty[0]]
    return f"predict before you run: answer {', '.join(missing)} in {ANSWERS}"


def _recorded(lab: LabFolder, workbook: Workbook) -> dict[str, Scalar]:
    """Predictions of runs that were made, the oldest of each."""
    found: dict[str, Scalar] = {}
    for folder in (each for runs in workbook.runs.values() for each in reversed(runs)):
        try:
            known = summary_reader.as_written(folder).lab
        except ScenarioError:
            continue  # one that never got so far
        if known is not None and known.student == workbook.lock.student:
            found = dict(forms.checked(known.predictions, lab.spec).values) | found
    return found
