"""``export``: a run in the formats of others."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from testbed.cli.options import run_folders
from testbed.core.errors import TestbedError


def export(
    run: Annotated[Path, typer.Argument(help="the run's folder", autocompletion=run_folders)],
    out: Annotated[Path | None, typer.Option(help="the folder to write to; default: RUN/export")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="tables as CSV, with datapackage.json")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="tables as Parquet; needs pyarrow")] = False,
    trace: Annotated[bool, typer.Option("--trace", help="trace.json, for ui.perfetto.dev")] = False,
    metrics: Annotated[bool, typer.Option("--metrics", help="metrics.prom, OpenMetrics text")] = False,
) -> int:
    """Write a run as tables, as a trace and as metrics; prints each file. No option: all but Parquet.

    Exits with 1 where the run's files contradict each other: the files are there all the same, and say it is not valid.

    Example: testbed export results/hello-20260101-120000 --csv --trace
    """
    from testbed.core.text.printable import printable
    from testbed.exports.export import ALWAYS, Form
    from testbed.exports.export import export as exported
    from testbed.runfiles.summary_reader import doubts

    asked = dict(zip(Form, (csv, parquet, trace, metrics), strict=True))
    forms = tuple(form for form, wanted in asked.items() if wanted) or ALWAYS
    made = exported(run, out, forms, lambda file: print(file, flush=True))
    found = doubts(made.summary)
    sys.stderr.writelines(f"{printable(each)}\n" for each in made.notes)
    sys.stderr.writelines(f"not valid, edited or damaged: {printable(each)}\n" for each in found)
    return TestbedError.exit_code if found else 0
