"""Whether work is of the lab, and runs are a student's own: of their parameters and their seed, and of a record that
agrees with itself.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path

from testbed.audit import model
from testbed.audit.verdict import RunAudit, audit
from testbed.core.errors import ScenarioError
from testbed.core.expectation import TO_GIVE_UP
from testbed.core.migration_key import MigrationKey
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.core.text.leaves import leaves
from testbed.core.text.printable import printable
from testbed.labs.catalogue import LabFolder
from testbed.labs.definition.draw import Parameters
from testbed.labs.workbook import Lock
from testbed.report.words.answers import GAVE_UP
from testbed.runfiles import files, summary_reader
from testbed.runfiles.folder import RunFolder
from testbed.scenario import document as documents
from testbed.scenario.document import Document, parts, value_at
from testbed.scenario.matrix.axes import expand
from testbed.scenario.recorded import Recorded, recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRun:
    """A run that was looked at. ``foreign``: why it is not the student's own; ``invalid``: why it has to be made again;
    ``by_choice``: that is for what the student set, and not for the machine; ``doubt``: what a teacher should look at,
    and costs nothing. ``summary`` None: it cannot be read.
    """

    name: str
    folder: Path
    summary: Summary | None = None
    foreign: str = ""
    invalid: str = ""
    by_choice: bool = False
    doubt: str = ""


def check_lock(lab: LabFolder, lock: Lock) -> None:
    """Raises ``ScenarioError`` for work of another lab, or of another version of it."""
    if lock.lab != lab.name:
        raise ScenarioError(f"this is work of the lab '{lock.lab}', not of '{lab.name}'")
    if lock.version != lab.spec.version:
        raise ScenarioError(
            f"this was started with version {lock.version} of the lab, which is now {lab.spec.version}; start it again"
        )


def judged(lab: LabFolder, lock: Lock, parameters: Parameters, name: str, folder: Path) -> JudgedRun:
    """The run ``name`` in a folder, held against what it has to be. What is wrong with it is told, and not raised."""
    try:
        summary = summary_reader.as_written(folder)
    except ScenarioError as error:
        said = printable(str(error))  # costs nothing, as a newer version may have written it; but so may anybody
        doubt = f"{folder.name}: its record cannot be read: {said}"
        return JudgedRun(name=name, folder=folder, invalid=said, doubt=doubt)
    doubt = ""
    try:
        foreign = _of_another(summary, lab, lock, name) or next(unlike(lab, parameters, name, folder, summary), "")
        foreign = foreign or _unwitnessed(summary, folder)
        if not foreign:
            found = audit(folder)
            foreign, doubt = (_disagreeing(found), _of_another_version(found))
            if not summary.valid:  # what is not asked costs nothing; but somebody may have made it so
                foreign, doubt = "", foreign or doubt
    except ScenarioError as error:
        foreign = str(error)
    invalid = "" if summary.valid else "; ".join(summary.invalid_reasons[:2]) or "it is not valid"
    return JudgedRun(
        name=name,
        folder=folder,
        summary=summary,
        foreign=printable(f"{folder.name}: {foreign}") if foreign else "",
        invalid=printable(invalid),
        by_choice=bool(lab.spec.runs[name].set) and any(_by_choice(each, summary) for each in summary.migrations),
        doubt=printable(f"{folder.name}: {doubt}") if doubt else "",
    )


def _by_choice(migration: MigrationRecord, summary: Summary) -> bool:
    """Whether it is not valid for what was set, where something may be: in the model there can be no other reason; on
    real hosts it is one that ran undisturbed to another end than its scenario expects.
    """
    late = migration.outcome == "cancelled" and not migration.interrupted
    gave_up = any(each.decision.startswith(GAVE_UP) for each in migration.rounds)
    expected = any(each.startswith(TO_GIVE_UP) for each in migration.invalid_reasons)
    to_another_end = late or (migration.outcome == "completed" if expected else gave_up)
    return not migration.valid and (summary.engine == "simulated" or to_another_end)


def unlike(lab: LabFolder, parameters: Parameters, name: str, folder: Path, summary: Summary) -> Iterator[str]:
    """What of a run's scenario is not as the student's has it; what a student may set may be anything."""
    known = RunFolder(folder).scenario
    if not files.there(known):
        yield f"there is no {known.name}"
        return
    content = files.text(known, files.MOST_SCENARIO)
    wanted = documents.parse(lab.scenario(name, parameters), "the scenario")
    yield from differing(wanted, documents.parse(content, known.name), lab.spec.runs[name].set, summary)


def differing(wanted: Document, made: Document, free: list[str], summary: Summary | None = None) -> Iterator[str]:
    """What two scenarios do not have in common, but for the paths ``free``. ``summary``: of the run that was made; its
    migrations have to be those of the scenario.
    """
    name = wanted.tree.get("name") or made.tree.get("name") or "scenario"
    wanted, made = (each.with_value(("name",), name, each.place(())) for each in (wanted, made))
    for path in free:
        wanted = wanted.with_value(parts(path), value_at(made.tree, path), "the scenario")
    cases = {each.name: each.settings for each in expand(wanted, str(wanted.tree["name"]))}
    if summary is not None:
        there = {each.name for each in summary.migrations} | {each.name for each in summary.not_made}
        if there != set(cases):
            yield _other_migrations(there, set(cases))
            return
        for each in summary.migrations:
            if json.dumps(each.settings) != json.dumps(cases[each.name]):  # which knows no tuples
                yield f"'{each.name}' was made with {each.settings}, and is to have {cases[each.name]}"
    one, other = (_base(each) for each in (wanted, made))
    for name, settings in cases.items():
        key = MigrationKey(name=name, repeat=1)
        yield from _different(recorded(one, key, settings), recorded(other, key, settings))


def _base(document: Document) -> Document:
    for gone in ("matrix", "published", "engine"):
        document = document.with_value((gone,), None, document.place(()))
    return document


def _different(wanted: Recorded, made: Recorded) -> Iterator[str]:
    if Path(wanted.own_policy or "").name != Path(made.own_policy or "").name:
        yield f"its policy is {made.own_policy or 'one of ours'}, yours is {wanted.own_policy or 'one of ours'}"
    one, other = leaves(asdict(wanted.plan)), leaves(asdict(made.plan))
    for path in sorted({*one, *other}):
        if one.get(path) != other.get(path):
            yield f"its {path} is {other.get(path, 'not there')}, yours is {one.get(path, 'not there')}"


def _of_another(summary: Summary, lab: LabFolder, lock: Lock, name: str) -> str:
    known = summary.lab
    if known is None:
        return "it was made without 'testbed lab run', so nobody knows whose it is"
    for what, there, here in (
        ("lab", known.id, lab.name),
        ("version", known.version, lab.spec.version),
        ("student", known.student, lock.student),
        ("course", known.course, lock.course),
        ("run", known.run, name),
    ):
        if there != here:
            return f"it was recorded for the {what} {there!s:.60}, and this is {here!s:.60}"
    return ""


def _disagreeing(found: RunAudit) -> str:
    broken = found.broken
    if not broken:
        return ""
    first = broken[0].agreement
    more = f", and {len(broken) - 1} more" if len(broken) > 1 else ""
    return f"its record does not agree with itself: {first.name}: {first.why}{more}"


def _unwitnessed(summary: Summary, folder: Path) -> str:
    """Of what is said to be measured somebody wrote down the samples while it was."""
    if summary.engine == "simulated" or not summary.valid or files.there(RunFolder(folder).samples):
        return ""
    return "it is said to be of real hosts, and there is no samples.jsonl"


def _of_another_version(found: RunAudit) -> str:
    known = (each.agreement for each in found.found if each.agreement.name == "model")
    return next((each.why for each in known if each.why.startswith(model.OTHER)), "")


def _other_migrations(there: set[str], cases: set[str]) -> str:
    """Of each side the first that the other has not, from where they differ: a name may be a page long."""
    one, other = (min(a - b, default="none besides") for a, b in ((there, cases), (cases, there)))
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    start = max(one.rfind(",", 0, same), one.rfind(" ", 0, same)) + 1
    return f"its migrations are others: {one[start:]:.60}, yours are {other[start:]:.60}"
