"""``arena``: policies against guests that they have not seen, and a board of what they cost."""

import json as writer
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testbed.core.errors import ScenarioError

if TYPE_CHECKING:
    from testbed.arena.board import Board, Standing
    from testbed.arena.entrants import Entrant

MOST_KEY = 4096


def arena(  # noqa: PLR0913, PLR0917 - the options of the command line
    policies: Annotated[list[str], typer.Argument(metavar="POLICY...", help="names, or files of your own: ./mine.py")],
    key: Annotated[
        Path | None, typer.Option(help="a file with what guests are drawn from; default: the open key")
    ] = None,
    course: Annotated[
        Path | None, typer.Option(metavar="FILE", help="course.yaml: its arena_key is the file of the key")
    ] = None,
    guests: Annotated[int, typer.Option(min=2, max=1000, help="how many guests")] = 40,
    native: Annotated[int, typer.Option(min=0, max=20, help="run the best three on so many guests for real")] = 0,
    repeat: Annotated[int, typer.Option(min=1, max=20, help="of --native: make each migration so many times")] = 3,
    weights: Annotated[
        str, typer.Option(metavar="NAME=NUMBER,...", help="of the price: time, work, downtime, ...")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="the board as JSON on stdout")] = False,
    page: Annotated[Path | None, typer.Option(help="write the board as a page to this file")] = None,
    out: Annotated[
        Path | None, typer.Option(help="of --native: folder of results; default: results/arena-TIME")
    ] = None,
) -> int:
    """Let policies play against guests they have not seen, beside all of ours; the lowest price wins.

    A file's code runs in a sandbox and nowhere else; one that breaks loses, in words, and the others go on.

    Example: testbed arena ./mine.py
    """
    from testbed.arena import page as pages
    from testbed.arena.board import contest
    from testbed.arena.entrants import entrant, rivals
    from testbed.arena.guests import drawn
    from testbed.arena.price import weights_of
    from testbed.experiment.rootless import become_root

    secret = _secret(key, course)
    asked = [entrant(word) for word in policies]
    twice = next((each.name for each in asked if sum(each.name == other.name for other in asked) > 1), None)
    if twice is not None:
        raise ScenarioError("is given twice", twice)
    if page is not None:
        playing = {f"the policy {each.name}": each.file for each in asked}
        _check_page(page, {"what --key reads": key, "what --course reads": course} | playing)
    if out is not None and not native:
        raise ScenarioError("--out says where --native keeps its run; add --native, or send --json into a file")
    become_root(needed=native > 0)
    entrants = [*asked, *rivals(asked)]
    board = contest(entrants, drawn(secret, guests), weights_of(weights), secret)
    if native:
        board = replace(board, finals=_finals(board, entrants, native, repeat, out))
    try:
        if page is not None:
            pages.write(page, board)
            sys.stderr.write(f"{page}\n")
    finally:
        _show(board, json)
    return 0


def _check_page(page: Path, read: Mapping[str, Path | None]) -> None:
    """Before anybody plays: nobody's policy or key is written over. Raises ``ScenarioError``."""
    if page.is_dir():
        raise ScenarioError("is a folder, and a file is to be written", str(page))
    for what, file in read.items():
        if file is not None and page.exists() and file.exists() and page.samefile(file):
            raise ScenarioError(f"{page} is {what}; name another file", "--page")


def _finals(
    board: "Board", entrants: "list[Entrant]", guests: int, repeat: int, out: Path | None
) -> "tuple[Standing, ...]":
    from testbed.arena.finals import finalists, finals
    from testbed.cli.progress import watching
    from testbed.report.words.lines import say
    from testbed.runfiles.folder import results_folder

    best = finalists(board, entrants)
    with results_folder("arena", out) as folder, watching(False, "arena: the finals") as observer:
        say(f"results: {folder}")
        return finals(
            best, board.guests[:guests], board.weights, repeat=repeat, folder=folder, observer=observer, say=say
        )


def _show(board: "Board", json: bool) -> None:
    from testbed.arena import formats
    from testbed.report.words.tables import console

    if json:
        sys.stdout.write(writer.dumps(formats.as_data(board), indent=2) + "\n")
        return
    terminal = console(sys.stdout, 200)
    for note in formats.notes(board):
        terminal.print(note, markup=False)
    terminal.print(formats.table(board.standings))
    if board.finals:
        terminal.print("the finals, on real hosts:")
        terminal.print(formats.table(board.finals))


def _secret(key: Path | None, course: Path | None) -> str:
    """What the guests are drawn from. Raises ``ScenarioError``."""
    from testbed.arena import OPEN_KEY
    from testbed.labs.course import Course

    if course is None:
        return OPEN_KEY if key is None else _key(key)
    if key is not None:
        raise ScenarioError("names a key, and so does --key; leave out one of them", "--course")
    named = Course.read(course).arena_key
    if named is None:
        raise ScenarioError("names no key; add a line such as: arena_key: key.txt", str(course))
    return _key(course.parent / named, for_one=True)


def _key(file: Path, *, for_one: bool = False) -> str:
    """What is in the file, without the white space around it; ``for_one``: nobody but its owner may read it. Raises
    ``ScenarioError``.
    """
    from testbed.runfiles import files

    if not files.there(file):
        raise ScenarioError("there is no such file; a key is any text that nobody can guess", str(file))
    with files.opened(file, MOST_KEY) as opened:
        if for_one and os.fstat(opened.fileno()).st_mode & (stat.S_IRGRP | stat.S_IROTH):
            raise ScenarioError(f"others can read this key, and so know the guests: chmod go-rwx {file}", str(file))
    key = files.text(file, MOST_KEY).strip()
    if not key:
        raise ScenarioError("is empty: a key is any text that nobody can guess", str(file))
    return key
