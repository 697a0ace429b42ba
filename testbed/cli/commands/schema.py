"""``schema``: JSON Schema of the files that outsiders read and write."""

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer


class File(StrEnum):
    """Files that have a schema."""

    SCENARIO = "scenario"
    SUMMARY = "summary"


def schema(file: Annotated[File, typer.Argument(help="scenario, or summary for summary.json")]) -> None:
    """Print the JSON Schema of a scenario or of summary.json."""
    from testbed.scenario.schema.scenario_schema import scenario_schema, summary_schema

    document = scenario_schema() if file is File.SCENARIO else summary_schema()
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
