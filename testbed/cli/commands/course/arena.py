"""``arena``: policies against guests that they have not seen, and a board of what they cost."""

import json as writer
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testbed.core.errors import PrerequisiteMissing, ScenarioError

if TYPE_CHECKING:
    from testbed.arena.board import Board, Standing
    from testbed.arena.entrants import Entrant

MOST_KEY = 4096


def arena(  # noqa: PLR0913, PLR0917 - the options of the command line
    policies: Annotated[list[str], typer.Argument(metavar="POLICY...", help="names, or files of your own: ./mine.py")],
    key: Annotated[
        Path | None, typer.Option(help="a file with what guests are drawn from; default: the open key")
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
    """
    from testbed.arena import OPEN_KEY
    from testbed.arena import page as pages
    from testbed.arena.board import contest
    from testbed.arena.entrants import entrant, rivals
    from testbed.arena.guests import drawn
    from testbed.arena.price import weights_of

    asked = [entrant(word) for word in policies]
    twice = next((each.name for each in asked if sum(each.name == other.name for other in asked) > 1), None)
    if twice is not None:
        raise ScenarioError("is given twice", twice)
    if out is not None and not native:
        raise ScenarioError("--out says where --native keeps its run; add --native, or send --json into a file")
    if native and os.geteuid() != 0:
        raise PrerequisiteMissing(
            "the finals run on real hosts, which need root", "run it with sudo, or without --native"
        )
    entrants = [*asked, *rivals(asked)]
    secret = OPEN_KEY if key is None else _key(key)
    board = contest(entrants, drawn(secret, guests), weights_of(weights), secret)
    if native:
        board = replace(board, finals=_finals(board, entrants, native, repeat, out))
    if page is not None:
        pages.write(page, board)
        sys.stderr.write(f"{page}\n")
    _show(board, json)
    return 0


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


def _key(file: Path) -> str:
    """What is in the file, without the white space around it. Raises ``ScenarioError``."""
    from testbed.runfiles.files import text

    key = text(file, MOST_KEY).strip()
    if not key:
        raise ScenarioError("is empty: a key is any text that nobody can guess", str(file))
    return key
