"""What a hand-in's records claim, of the newest run of each name that counts. Nothing that was handed in is run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from testbed.core.records.migration import Summary
from testbed.grades.rerun.messages import RunAgain, RunFigures, Wanted
from testbed.labs.catalogue import LabFolder
from testbed.labs.checking import counted_runs
from testbed.labs.workbook import Workbook
from testbed.runfiles import files
from testbed.runfiles.folder import RunFolder
from testbed.scenario import document as documents
from testbed.scenario.document import value_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A run as it was recorded, and what has to be asked for to have it again."""

    wanted: Wanted
    recorded: RunAgain


def claimed(lab: LabFolder, folder: Path) -> Iterator[Claimed]:
    """Those of a hand-in that is open. Raises ``ScenarioError``."""
    book = Workbook.read(folder)
    for name, run in counted_runs(lab, book).items():
        file = RunFolder(run.folder).scenario
        tree = documents.parse(files.text(file, files.MOST_SCENARIO), file.name).tree
        wanted = Wanted(
            student=book.lock.student,
            course=book.lock.course,
            run=name,
            engine="native" if run.native else "simulated",
            settings={path: value_at(tree, path) for path in lab.spec.runs[name].set},
        )
        yield Claimed(wanted=wanted, recorded=figures(run.summary))


def figures(summary: Summary) -> RunAgain:
    """Those of a record that are held against each other."""
    known = [
        RunFigures(
            name=each.name,
            repeat=each.repeat,
            outcome=each.outcome,
            valid=each.valid,
            rounds=len(each.rounds),
            sent=each.bytes_sent / each.vm.ram_bytes if each.vm.ram_bytes else 0.0,
            total_s=each.total_time_s,
            why="; ".join(each.invalid_reasons[:1]),
        )
        for each in summary.migrations
    ]
    return RunAgain(engine=summary.engine, version=summary.testbed_version, migrations=known)
