"""``schema``: JSON Schema of the files that outsiders read and write, and the protocol in Wireshark's terms."""

import json
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from testbed.scenario.schema.patterns import Schema


class File(StrEnum):
    """Files that have a schema."""

    SCENARIO = "scenario"
    SUMMARY = "summary"
    LAB = "lab"
    SWEEP = "sweep"
    WIRESHARK = "wireshark"


def schema(
    file: Annotated[
        File,
        typer.Argument(help="scenario; sweep, for its grid; summary, of summary.json; lab, for lab.yaml; wireshark"),
    ],
) -> None:
    """Print the JSON Schema of a scenario, a grid, summary.json or lab.yaml; or the protocol for Wireshark, in Lua.

    Example: testbed schema scenario > scenario.schema.json
    """
    if file is File.WIRESHARK:
        from testbed.packets.wireshark import dissector

        sys.stdout.write(dissector())
        return
    from testbed.labs.definition.spec import lab_schema
    from testbed.scenario.schema.scenario_schema import scenario_schema, summary_schema
    from testbed.sweeps.schema import sweep_schema

    makers: dict[File, Callable[[], Schema]] = {
        File.SCENARIO: scenario_schema,
        File.SUMMARY: summary_schema,
        File.LAB: lab_schema,
        File.SWEEP: sweep_schema,
    }
    document = makers[file]()
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
