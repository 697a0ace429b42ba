"""``schema``: JSON Schema of the files that outsiders read and write, and the protocol in Wireshark's terms."""

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
    WIRESHARK = "wireshark"


def schema(
    file: Annotated[File, typer.Argument(help="scenario; summary, for summary.json; lab, for lab.yaml; wireshark")],
) -> None:
    """Print the JSON Schema of a scenario, of summary.json or of a lab.yaml; or the protocol for Wireshark, in Lua.

    Example: testbed schema scenario > scenario.schema.json
    """
    if file is File.WIRESHARK:
        from testbed.packets.wireshark import dissector

        sys.stdout.write(dissector())
        return
    from testbed.labs.definition.spec import lab_schema
    from testbed.scenario.schema.scenario_schema import scenario_schema, summary_schema

    makers = {File.SCENARIO: scenario_schema, File.SUMMARY: summary_schema, File.LAB: lab_schema}
    document = makers[file]()
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
