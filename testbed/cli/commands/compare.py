"""``compare``: runs side by side, with medians, intervals and a verdict in words."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from testbed.cli.options import run_folders


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="folders of runs", autocompletion=run_folders)],
    anyway: Annotated[bool, typer.Option("--anyway", help="compare what is not comparable, saying so")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the comparison as JSON on stdout")] = False,
    page: Annotated[Path | None, typer.Option(help="write a page with charts to this file")] = None,
) -> None:
    """Lay runs side by side. Runs of one scenario count as repeats of one another.

    Example: testbed compare results/a results/b --page both.html
    """
    from testbed.core.text.printable import printable
    from testbed.report.side import comparison, words
    from testbed.report.side.sentence import sentences
    from testbed.report.words.tables import console

    compared = comparison.laid(runs, anyway=anyway)
    for reason in compared.reasons:
        sys.stderr.write(f"compared although {printable(reason)}\n")
    for note in compared.notes:
        sys.stderr.write(f"{printable(note)}\n")
    if as_json:
        sys.stdout.write(json.dumps(words.as_data(compared), indent=2) + "\n")
    else:
        for sentence in sentences(compared.lines):
            sys.stdout.write(f"{printable(sentence)}\n")
        console(sys.stdout, 200).print(words.table(compared.lines))
    if page:
        from testbed.report.side.page import write

        write(page, compared)
        sys.stderr.write(f"{page}\n")
