"""``audit``: whether runs agree with themselves, with the workload of their seed, and with their policy."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from testbed.cli.options import run_folders
from testbed.core.errors import ScenarioError, TestbedError

if TYPE_CHECKING:
    from testbed.audit.verdict import RunAudit
    from testbed.core.text.from_json import JsonObject


def audit(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="folders of runs", autocompletion=run_folders, readable=False),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="the same as JSON on stdout")] = False,
) -> int:
    """Hold each run's record against itself, its policy and the workload recomputed from its seed.

    One line an agreement. Exits with 1 where one does not hold, and with 2 where a folder cannot be read; whatever a
    folder holds, the others are audited. No code that a run names is run, and nobody needs root.

    Example: testbed audit results/*
    """
    from testbed.audit.verdict import audit as audited
    from testbed.core.text.printable import printable

    code, made = 0, list["JsonObject"]()
    for run in runs:
        try:
            verdict = audited(run)
        except ScenarioError as error:
            code, said = error.exit_code, printable(str(error))
            made.append({"run": str(run), "fault": said})
            sys.stderr.write(f"testbed: {said}\n")
            continue
        made.append(_as_data(verdict))
        if verdict.broken:
            code = code or TestbedError.exit_code
        if not as_json:
            _show(verdict)
    if as_json:
        sys.stdout.write(json.dumps(made, indent=2) + "\n")
    return code


def _as_data(verdict: "RunAudit") -> "JsonObject":
    return {
        "run": str(verdict.folder),
        "scenario": verdict.scenario,
        "valid": verdict.valid,
        "holds": not verdict.broken,
        "agreements": [
            {
                "migration": each.migration.name if each.migration else None,
                "repeat": each.migration.repeat if each.migration else None,
                "name": each.agreement.name,
                "state": each.agreement.state,
                "why": each.agreement.why,
            }
            for each in verdict.found
        ],
    }


def _show(verdict: "RunAudit") -> None:
    """A line an agreement, and one of the run."""
    from rich.table import Table
    from rich.text import Text

    from testbed.core.text.printable import printable
    from testbed.report.words.tables import console

    table = Table("migration", "agreement", "", "why", box=None, pad_edge=False)
    for each in verdict.found:
        known = each.agreement
        cells = (str(each.migration or "the run"), known.name, known.state, known.why)
        style = {"not held": "red", "not known": "dim"}.get(known.state, "")
        table.add_row(*(Text(printable(cell)) for cell in cells), style=style)
    terminal = console(sys.stdout, 200)
    terminal.print(table)
    terminal.print(Text(printable(str(verdict))))
