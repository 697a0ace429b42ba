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
    LAB = "lab"


def schema(
    file: Annotated[File, typer.Argument(help="scenario, summary for summary.json, or lab for lab.yaml")],
) -> None:
    """Print the JSON Schema of a scenario, of summary.json or of a lab.yaml.

    Example: testbed schema scenario > scenario.schema.json
    """
    from testbed.labs.definition.spec import lab_schema
    from testbed.scenario.schema.scenario_schema import scenario_schema, summary_schema

    makers = {File.SCENARIO: scenario_schema, File.SUMMARY: summary_schema, File.LAB: lab_schema}
    document = makers[file]()
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
