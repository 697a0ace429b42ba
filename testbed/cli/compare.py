"""``compare``: runs side by side, with medians, intervals and a verdict in words."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from testbed.core.errors import ScenarioError


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="folders of runs")],
    anyway: Annotated[bool, typer.Option("--anyway", help="compare what is not comparable, saying so")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the comparison as JSON on stdout")] = False,
    page: Annotated[Path | None, typer.Option(help="write a page with charts to this file")] = None,
) -> None:
    """Lay runs side by side. Runs of one scenario count as repeats of one another."""
    from rich.console import Console

    from testbed.report import side_by_side, side_words

    loaded = side_by_side.load(runs)
    reasons = side_by_side.refusals(loaded)
    if reasons and not anyway:
        raise ScenarioError(f"not comparable: {'; '.join(reasons)}; --anyway compares them all the same")
    for reason in reasons:
        sys.stderr.write(f"compared although {reason}\n")
    lines = side_by_side.compare(loaded)
    if not lines:
        raise ScenarioError("nothing to compare: no migration completed in these runs under the same name")
    if as_json:
        sys.stdout.write(json.dumps({"not_comparable": reasons, "lines": side_words.as_data(lines)}, indent=2) + "\n")
    else:
        wide = None if sys.stdout.isatty() else 200
        Console(file=sys.stdout, width=wide, highlight=False).print(side_words.table(lines))
    if page:
        from testbed.report.side_page import write

        write(page, loaded, lines, reasons)
        sys.stderr.write(f"{page}\n")
