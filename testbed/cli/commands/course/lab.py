"""``lab``: what students do with a lab, and what its teacher does."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testbed.core.errors import ScenarioError, TestbedError

if TYPE_CHECKING:
    from testbed.labs.catalogue import LabFolder
    from testbed.labs.graded import Graded
    from testbed.labs.workbook import Workbook

app = typer.Typer(help="A course's labs: start one, run it, check it, hand it in.", rich_markup_mode=None)
From = Annotated[
    Path | None, typer.Option("--from", metavar="FOLDER", help="a folder of labs of your teacher's, or of one")
]
SECONDS = 1.0
"""Between two looks of ``--watch``."""


@app.command("list")
def list_labs(from_: From = None) -> None:
    """Labs that there are, with their minutes, needs and points."""
    from rich.table import Table
    from rich.text import Text

    from testbed.labs.catalogue import find, folders
    from testbed.labs.own_checks import points
    from testbed.report.words.tables import console

    table = Table("lab", "minutes", "needs", "points", "title", box=None, pad_edge=False)
    for name in folders(from_):
        lab = find(name, from_)
        spec = lab.spec
        cells = (name, str(spec.minutes), "real hosts" if spec.needs else "-", str(points(lab)), spec.title)
        table.add_row(*map(Text, cells))  # a title in brackets is no markup
    console(sys.stdout, 120).print(table)


@app.command("start")
def start(
    name: Annotated[str, typer.Argument(help="a lab; see: testbed lab list")],
    as_: Annotated[str, typer.Option("--as", metavar="WHO", help="you: your e-mail address, as your course knows it")],
    course: Annotated[Path | None, typer.Option(help="course.yaml, if your teacher gave you one")] = None,
    to: Annotated[Path | None, typer.Option(help="the new folder; default: called as the lab")] = None,
    from_: From = None,
) -> None:
    """Make your folder of a lab: its text and its scenario with your own numbers, and a form for your answers."""
    from testbed.labs.catalogue import find
    from testbed.labs.course import Course
    from testbed.labs.starting import start as begin

    known = Course.read(course).course if course else ""
    folder = begin(find(name, from_), as_, known, to)
    print(f"{folder}: read {folder}/README.md, and go on in that folder")


@app.command("run")
def run(
    name: Annotated[str | None, typer.Argument(help="which of the lab's runs; default: the next")] = None,
    engine: Annotated[str | None, typer.Option(help="native or simulated; default: as the scenario says")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="change what the lab leaves to you")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no progress and no tables")] = False,
    no_page: Annotated[
        bool, typer.Option("--no-page", help="draw no report.html; testbed report draws it when it is wanted")
    ] = False,
    from_: From = None,
) -> int:
    """Make a run of the lab in whose folder you are; your predictions go into its record."""
    from testbed.cli.progress import watching
    from testbed.engines import registry as engines
    from testbed.experiment.rootless import become_root
    from testbed.labs.running import carried_out, prepared
    from testbed.report.words import summary as text
    from testbed.report.words.lines import own_code, say

    lab, book = _here(from_)
    if engine:
        engines.get(engine)  # so that a wrong name is all that is said
    made = prepared(lab, book, name, set_ or (), own_code=own_code)
    for line in made.stays:
        say(line)
    become_root(needed=engines.get(engine or made.scenario.engine).needs_machine)
    with watching(quiet, f"{lab.name}, run {made.record.run}: {lab.spec.title}") as observer:
        summary = carried_out(made, engine=engine, observer=observer, say=say, page=not no_page)
    if not quiet:
        text.show(summary, made.out)
    if not summary.valid:
        say(f"this run costs you nothing and counts for nothing; make it again: {text.why_not(summary)}")
    return 0 if summary.valid else TestbedError.exit_code


@app.command("check")
def check(
    watch: Annotated[bool, typer.Option("--watch", help="again whenever something changes, until Ctrl-C")] = False,
    from_: From = None,
) -> int:
    """Hold your work against the checks by which it is graded: what is missing, why, and what the mistake was.

    Exits with 1 while something is open.
    """
    from testbed.labs.checking import graded
    from testbed.labs.workbook import enclosing

    folder, seen = enclosing(Path.cwd()), list[tuple[str, int]]()
    while True:
        now = _changed(folder)
        if now != seen:
            seen = now
            try:
                result = graded(*_here(from_))
                _show(result)
            except ScenarioError as error:
                if not watch:
                    raise
                print(
                    f"testbed: {error}", file=sys.stderr
                )  # half written, as an editor leaves it: it is looked at again
                continue
            if not watch:
                return TestbedError.exit_code if _is_open(result) else 0
        time.sleep(SECONDS)


@app.command("try")
def try_out(from_: From = None) -> None:
    """Run the lab's ``try.py``, which tries your own code: as you, and with all that this program has."""
    from testbed.linux.processes.module import become

    lab, book = _here(from_)
    os.chdir(book.folder)
    if not Path("try.py").is_file():
        raise ScenarioError(f"the lab '{lab.name}' has no try.py: nothing in it is code of yours")
    become("try.py")


@app.command("submit")
def submit(
    to: Annotated[Path | None, typer.Option(help="the file; default: LAB-YOU.lab.zip in your folder")] = None,
    from_: From = None,
) -> None:
    """Pack your work into one file to hand in: answers, records and your own files."""
    from testbed.labs import answers
    from testbed.labs.handin import pack

    lab, book = _here(from_)
    answers.read(book.folder / answers.ANSWERS, lab.spec)  # those that cannot be read nobody could grade
    also = dict.fromkeys([*(run.scenario for run in lab.spec.runs.values()), *lab.spec.hand_in])
    captures = any(run.capture for run in lab.spec.runs.values())
    print(pack(book.folder, to, also=[*also], captures=captures))


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="what the lab is to be called: small letters, digits and '-'")],
    to: Annotated[Path, typer.Option(help="where its folder is made")] = Path(),
) -> None:
    """Begin a lab of your own: a small one that works, to be changed. For teachers."""
    from testbed.labs.starting import new as begin

    folder = begin(name, to)
    print(f"{folder}: change it, and test it: testbed lab test {folder}")


@app.command("test")
def test(
    folder: Annotated[Path, typer.Argument(metavar="LAB", help="a lab's folder, or the name of one")],
    students: Annotated[int, typer.Option(min=1, max=10_000, help="whose numbers are drawn and predicted")] = 200,
    engine: Annotated[str, typer.Option(help="what makes the runs of the reference answers")] = "simulated",
    quick: Annotated[bool, typer.Option("--quick", help="leave out mistakes that need runs of their own")] = False,
) -> int:
    """Prove a lab before students meet it: numbers, right answers, and a hint for each known mistake. For teachers."""
    from testbed.engines import registry as engines
    from testbed.experiment.rootless import become_root
    from testbed.labs.catalogue import LabFolder, find
    from testbed.labs.proving.proof import prove

    become_root(needed=engines.get(engine).needs_machine)
    lab = LabFolder.read(folder) if folder.is_dir() else find(str(folder))
    proof = prove(lab, students, engine, quick)
    for line in proof.said:
        print(line)
    for fault in proof.faults:
        print(f"testbed: {fault}", file=sys.stderr)
    return TestbedError.exit_code if proof.faults else 0


def _here(from_: Path | None) -> "tuple[LabFolder, Workbook]":
    """The lab in whose folder one is, and that folder."""
    from testbed.labs.catalogue import find
    from testbed.labs.workbook import Workbook, enclosing

    book = Workbook.read(enclosing(Path.cwd()))
    return find(book.lock.lab, from_), book


def _is_open(result: "Graded") -> bool:
    """Whether something is left for the student to do: a run that does not count is to be made again."""
    from testbed.labs.checking import AGAIN

    return any(each.standing in ("wrong", "partly") or each.reason.startswith(AGAIN) for each in result.results)


def _changed(folder: Path) -> list[tuple[str, int]]:
    """What ``--watch`` looks at: every file of the folder itself, and which runs there are."""
    looked = []
    for each in (*folder.iterdir(), *(folder / "runs").glob("*/summary.json")):
        with suppress(FileNotFoundError):  # an editor's, which is gone by now
            looked.append((str(each), each.lstat().st_mtime_ns))
    return sorted(looked)


def _show(result: "Graded") -> None:
    """A line a check, with reason and hint, and one of them all."""
    from rich.table import Table
    from rich.text import Text

    from testbed.report.words.tables import console

    if result.fault:
        raise ScenarioError(result.fault)
    table = Table("check", "points", "", "what, why, hint", box=None, pad_edge=False)
    for each in result.results:
        words = [each.sentence, each.reason, f"Hint: {each.hint}" if each.hint else ""]
        style = {"right": "green", "wrong": "red", "partly": "yellow"}.get(each.standing, "dim")
        told = Text("\n".join(word for word in words if word))
        table.add_row(each.check, f"{each.earned}/{each.points}", Text(each.standing, style=style), told)
    terminal = console(sys.stdout, 120)
    terminal.print(table)
    for flag in result.flags:
        terminal.print(Text(f"Note: {flag}"))
    terminal.print(Text(f"{result.score} of {result.most} points"))
