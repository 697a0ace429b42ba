"""``packets``: the story of a run's migrations in packets, from what ``run --capture`` kept."""

import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testbed.cli.options import run_folders
from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.text.printable import printable

if TYPE_CHECKING:
    from testbed.packets.story import StoryLine

_NAME = re.compile(r"(\d+)-(\d+)\.pcap(?:ng)?")


def packets(
    run: Annotated[Path, typer.Argument(help="the run's folder, or a pcap or pcapng", autocompletion=run_folders)],
    migration: Annotated[int | None, typer.Option(min=1, help="only this one; default: all of them")] = None,
    every: Annotated[bool, typer.Option("--all", help="every packet, as scapy dissects it")] = False,
) -> None:
    """Tell a migration in packets: messages, rounds, stun, commit, announcements. Needs a run with --capture.

    Example: testbed packets results/hello-20260101-120000
    """
    from testbed.packets.story import each_packet, story

    wanted = captures(run, migration)
    lacking = _lacking(run)
    for number, repeat, file in wanted:
        name = f"migration {number}{f', repeat {repeat}' if repeat > 1 else ''}: " if run.is_dir() else ""
        sys.stdout.write(printable(f"{name}{file}") + "\n")
        _show(each_packet(file) if every else story(file), live=not every)
        if file.name in lacking:
            sys.stdout.flush()
            print(printable(f"testbed: {lacking[file.name]}"), file=sys.stderr)


def captures(run: Path, migration: int | None) -> list[tuple[int, int, Path]]:
    """Number, repeat and file of each capture asked for. Raises ``ScenarioError`` when there is none."""
    from testbed.packets.capture import FOLDER

    if run.is_file():
        if migration is not None:
            raise ScenarioError("is one capture; --migration chooses among those of a run's folder", str(run))
        return [(1, 1, run)]
    if not run.is_dir():
        raise ScenarioError("there is no such folder, nor a capture of that name", str(run))
    names = ((_NAME.fullmatch(file.name), file) for file in (run / FOLDER).glob("*.pcap*") if file.is_file())
    captures = sorted((int(name[1]), int(name[2]), file) for name, file in names if name)
    if not captures:
        raise ScenarioError("no packets were kept of this run; run it again with --capture", str(run))
    wanted = [each for each in captures if migration in (None, each[0])]
    if not wanted:
        there = ", ".join(str(number) for number, _, _ in captures)
        raise ScenarioError(f"no packets were kept of migration {migration}; there are those of {there}", str(run))
    return wanted


def _lacking(run: Path) -> dict[str, str]:
    """What the run's record says that each file lacks, by its name; nothing where there is no such record."""
    from testbed.report.words.services import packets as lacking
    from testbed.runfiles.summary_reader import as_written

    with suppress(TestbedError):  # of a file alone, of a run that was killed: the packets are there all the same
        done = as_written(run).migrations
        return {Path(each.capture.file).name: lacking(each) for each in done if each.capture and each.capture.fault}
    return {}


def _show(lines: "Iterable[StoryLine]", live: bool) -> None:
    """A table on a terminal, plain columns elsewhere."""
    if live and sys.stdout.isatty():
        _table(lines)
        return
    for line in lines:
        arrow = "▶" if line.sender or line.receiver else " "
        words = printable(line.words)
        sys.stdout.write(f"{line.at:>12.6f}  {line.sender:<17} {arrow} {line.receiver:<17}  {words}\n")


def _table(lines: "Iterable[StoryLine]") -> None:
    from rich.console import Console

    from testbed.report.words.tables import Fitting

    table = Fitting((">seconds", "from", "to", "what"), prose=("what",))
    for line in lines:
        table.row(f"{line.at:.6f}", line.sender, line.receiver, line.words)
    Console(file=sys.stdout, highlight=False).print(table)
