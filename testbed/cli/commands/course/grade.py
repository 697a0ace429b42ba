"""``grade`` and ``lab autograder``: hand-ins, judged as ``lab check`` does it, in the formats that others read."""

import io
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from testbed.core.errors import ScenarioError, TestbedError
from testbed.linux.files.scratch import scratch

if TYPE_CHECKING:
    from testbed.grades.grading import Grading
    from testbed.grades.outputs import Output
    from testbed.grades.rerun.draw import SampleDraw
    from testbed.grades.rerun.sample import Sample
    from testbed.grades.roster import Roster
    from testbed.grades.submitted import Submission
    from testbed.grades.work import GradedWork

NOT_DONE = "The grading did not come to its end, which is no fault of yours. Tell your teacher"
DEFAULTS = {
    "--gradescope": "/autograder/results/results.json",
    "--classroom50": "result.json",
    "--classroom": os.environ.get("GITHUB_OUTPUT", "-"),
}
"""Where each writes that is given no file: ``--classroom``. A file is named behind ``=``: ``--classroom=FILE``."""


def is_output(word: str) -> bool:
    """Whether a word behind one of ``DEFAULTS`` is its file, and no hand-in: by its name, or as what an action's step
    writes to.
    """
    return bool(re.fullmatch(r"-|.+\.(json|txt)", word)) or (word != "" and word == os.environ.get("GITHUB_OUTPUT"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The files that were asked for, by format, and what fills them."""

    outputs: Mapping[str, "Output"]
    lab: str
    roster: "Roster | None"

    def unfinished(self, why: str = "") -> None:
        """Says in those that somebody waits for that it is not done."""
        said = f"{NOT_DONE}: {why}" if why else f"{NOT_DONE}."
        from testbed.grades.formats import classroom50, gradescope

        if output := self.outputs.get("gradescope"):
            output.write(gradescope.unfinished(said))
        if output := self.outputs.get("classroom50"):
            output.write(classroom50.unfinished(said, os.environ, datetime.now(UTC)))

    @contextmanager
    def explained(self) -> Iterator[None]:
        """What keeps us from grading is said there, too."""
        try:
            yield
        except TestbedError as fault:
            self.unfinished(str(fault))
            raise

    def write(self, works: Sequence["GradedWork"], by: "Grading") -> None:
        """All of them."""
        from testbed.grades.formats import as_json, classroom, classroom50, gradescope, junit, tables
        from testbed.grades.grading import broken

        single = works[0] if len(works) == 1 else broken(by, f"one hand-in was expected, and here are {len(works)}")
        made = {
            "csv": lambda: tables.rows(works),
            "moodle": lambda: tables.moodle(works, self.lab),
            "json": lambda: as_json.document(works),
            "canvas": lambda: self.roster.filled(works, self.lab) if self.roster else "",
            "junit": lambda: junit.document(works),
            "gradescope": lambda: gradescope.document(single),
            "classroom50": lambda: classroom50.document(single, os.environ, datetime.now(UTC)),
            "classroom": lambda: classroom.document(single),
        }
        for name, output in self.outputs.items():
            (output.add if name == "classroom" else output.write)(made[name]())


def grade(  # noqa: PLR0913, PLR0917 - the options of the command line
    hand_ins: Annotated[
        list[Path],
        typer.Argument(metavar="HANDIN...", help="zips, folders, a folder of them, a class's download", readable=False),
    ],
    lab: Annotated[str, typer.Option(help="the lab's name; see: testbed lab list")],
    from_: Annotated[Path | None, typer.Option("--from", help="a folder of labs of your own")] = None,
    course: Annotated[Path | None, typer.Option(help="course.yaml: when it is due, and its points")] = None,
    csv: Annotated[Path | None, typer.Option(help="a row a hand-in; - is stdout")] = None,
    moodle: Annotated[Path | None, typer.Option(help="CSV that Moodle imports")] = None,
    json: Annotated[Path | None, typer.Option(help="all that is known of each")] = None,
    junit: Annotated[Path | None, typer.Option(help="JUnit's XML")] = None,
    gradescope: Annotated[
        Path | None, typer.Option(metavar="[=F]", help=f"Gradescope's; default: {DEFAULTS['--gradescope']}")
    ] = None,
    classroom50: Annotated[
        Path | None, typer.Option(metavar="[=F]", help=f"Classroom 50's; default: {DEFAULTS['--classroom50']}")
    ] = None,
    classroom: Annotated[
        Path | None, typer.Option(metavar="[=F]", help="GitHub Classroom's reporter; default: $GITHUB_OUTPUT")
    ] = None,
    roster: Annotated[Path | None, typer.Option(help="CSV of who should hand in, such as Canvas's export")] = None,
    canvas: Annotated[Path | None, typer.Option(help="the roster, with the points filled in")] = None,
    submission: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Gradescope's submission_metadata.json: who handed in, and when")
    ] = None,
    rerun: Annotated[
        str | None, typer.Option(metavar="SHARE", help="run so many again, such as 5% or 3, on hosts if root")
    ] = None,
    rerun_seed: Annotated[
        str | None, typer.Option(metavar="TEXT", help="what those are drawn by; default: anew, and said")
    ] = None,
) -> int:
    """Grade hand-ins: points, a reason for each that is missing, and what two have in common.

    A hand-in that cannot be graded is one line, and all others are; then the exit code is 1. Code of a student's runs
    in a sandbox alone, and nobody needs root, which is given up first; what --rerun draws is run from the lab's files.

    Example: testbed grade handins/* --lab rounds
    """
    from testbed.grades import outputs
    from testbed.grades.judging import need_sandbox
    from testbed.grades.rerun.draw import SampleDraw
    from testbed.grades.roster import Roster
    from testbed.grades.submitted import Submission

    if canvas and not roster:
        raise ScenarioError("needs --roster FILE, the export that it fills", "--canvas")
    if rerun_seed is not None and rerun is None:
        raise ScenarioError("says what --rerun draws by; add --rerun 5%", "--rerun-seed")
    draw = SampleDraw.of(rerun, rerun_seed) if rerun is not None else None
    asked = {
        "csv": csv, "moodle": moodle, "json": json, "junit": junit, "gradescope": gradescope,
        "classroom50": classroom50, "classroom": classroom, "canvas": canvas,
    }  # fmt: skip
    paths = {name: path for name, path in asked.items() if path is not None}
    outputs.check_paths(paths, hand_ins, {"roster": roster, "course": course, "submission": submission})
    with ExitStack() as stack:
        files = stack.enter_context(outputs.opened(paths))
        known = Roster.read(roster) if roster else None
        handed_in = Submission.read(submission) if submission else None
        wanted = _Asked(outputs=files, lab=lab, roster=known)
        wanted.unfinished()
        with wanted.explained():
            by = _by_lab(lab, from_, course)
            sample = stack.enter_context(_sample(draw, lab, from_)) if draw else None
            _give_up_root(by, from_)
            need_sandbox(by)
            works = _graded(hand_ins, by, sample, known, handed_in)
        wanted.write(works, by)
        _show(works, known.missing(works) if known else (), sys.stderr)
    if sample is not None and sample.ended is not None:
        raise sample.ended
    return TestbedError.exit_code if any(work.graded.fault for work in works) else 0


def autograder(
    name: Annotated[str, typer.Argument(help="a lab; see: testbed lab list")],
    for_: Annotated[str, typer.Option("--for", help="gradescope, classroom50 or classroom")],
    to: Annotated[Path | None, typer.Option(help="the zip; default: LAB-PLATFORM.zip")] = None,
    from_: Annotated[Path | None, typer.Option("--from", help="a folder of labs of your own")] = None,
    course: Annotated[Path | None, typer.Option(help="course.yaml: when it is due, and its points")] = None,
) -> None:
    """Pack what Gradescope, Classroom 50 or GitHub Classroom's actions grade the lab with. For teachers."""
    from testbed.grades.autograder import autograder as made

    print(made(name, for_, to, from_=from_, course=course))


def refuse_doubtful(option: str, following: Sequence[str]) -> None:
    """What follows one of ``DEFAULTS`` as a word of its own has to be an option or a hand-in: were it taken for the
    wrong one of file and hand-in, a hand-in would be written over. Raises ``ScenarioError``.
    """
    for word in following:
        if not (word.startswith("-") or word.lower().endswith(".zip") or Path(word or "?").is_dir()):
            example = f"{option}={word}" if word else f"{option} without a value"
            raise ScenarioError(f"is it the file to write? then: {example}; hand-ins stand before it", option)


def _by_lab(lab: str, from_: Path | None, course: Path | None) -> "Grading":
    from testbed.grades.judging import by_lab

    by = by_lab(lab, from_, course)
    if not by.listed:
        print(f"testbed: {course} has no terms for '{lab}': no due time, and its own points", file=sys.stderr)
    return by


def _graded(
    given: Sequence[Path],
    by: "Grading",
    sample: "Sample | None",
    roster: "Roster | None",
    submission: "Submission | None",
) -> list["GradedWork"]:
    from testbed.grades.grading import grade as all_of
    from testbed.grades.handed import found
    from testbed.grades.submitted import flagged

    with scratch("grade") as room:
        hand_ins = [submission.of(each) if submission else each for each in found(given, room)]
        works = all_of(hand_ins, by, lambda works: flagged(works, roster, submission))
        return sample.flagged(hand_ins, works) if sample else works


@contextmanager
def _sample(draw: "SampleDraw", lab: str, from_: Path | None) -> "Iterator[Sample]":
    """Whoever runs again, while there still is root."""
    from testbed.grades.rerun.asking import runner
    from testbed.grades.rerun.sample import Sample
    from testbed.labs import find
    from testbed.report.words.lines import say

    folder = find(lab, from_)
    with runner(folder, from_) as runs:
        yield Sample(lab=folder, draw=draw, runner=runs, say=say)


def _give_up_root(by: "Grading", from_: Path | None) -> None:
    """Having loaded what is needed while it can be."""
    from testbed.grades.rehearsal import rehearse
    from testbed.linux.processes.caller import give_up_root

    if os.geteuid() == 0:
        _show(rehearse(by, from_), (), io.StringIO())
    if name := give_up_root():
        print(
            f"testbed: hand-ins are not read as root, but as {name}, who has to be able to read them", file=sys.stderr
        )


def _show(works: Sequence["GradedWork"], missing: Sequence[str], file: TextIO) -> None:
    """A line a hand-in, and one below it for each reason and flag."""
    from rich.table import Table
    from rich.text import Text

    from testbed.core.text.printable import printable
    from testbed.grades.rerun.sample import AGREES
    from testbed.report.words.tables import console

    table = Table("student", "points", "of", "", box=None, pad_edge=False)
    for work in works:
        said = [*work.reasons, *(f"flag: {flag}" for flag in work.flags)]
        style = "red" if work.graded.fault else "yellow" if work.flags else ""
        cells = (work.student, str(work.score), str(work.most), printable(said[0], 400) if said else "")
        table.add_row(*(Text(printable(cell)) for cell in cells), style=style)
        for more in said[1:]:
            table.add_row("", "", "", Text(printable(more, 400)), style=style)
    terminal = console(file, 200)
    terminal.print(table)
    broken = sum(bool(work.graded.fault) for work in works)
    flagged = sum(any(not flag.startswith(AGREES) for flag in work.flags) for work in works)
    ends = f"; {broken} could not be graded" if broken else ""
    terminal.print(Text(f"{len(works)} hand-in{'s' * (len(works) != 1)}{ends}; {flagged} with flags for the teacher"))
    if missing:
        terminal.print(Text(printable(f"nothing from {len(missing)}: {', '.join(missing)}", 2000)))
