"""``datapackage.json``: what the CSV files hold, column by column, as Frictionless Data describes tables.

https://specs.frictionlessdata.io/tabular-data-package/ · ``unit`` is ours.
"""

import json
from collections.abc import Sequence

from testbed.core.records.migration import Summary
from testbed.core.text.from_json import JsonObject
from testbed.core.text.label import label
from testbed.exports.cells import Sheet

CSV_FORM: JsonObject = {"delimiter": ",", "lineTerminator": "\n", "doubleQuote": True, "header": True}
"""By the standard a line ends with CR and LF where nothing else is said."""


def text(summary: Summary, tables: Sequence[Sheet]) -> str:
    """The description as JSON; the tables need no values."""
    return json.dumps(
        {
            "profile": "tabular-data-package",
            "name": "fast-motion-run",
            "title": label(summary.scenario),
            "created": summary.started_at,
            "resources": [_resource(table) for table in tables],
        },
        indent=1,
    )


def _resource(table: Sheet) -> JsonObject:
    columns = [
        {"name": each.name, "type": each.kind.value} | ({"unit": each.unit} if each.unit else {})
        for each in table.columns
    ]
    return {
        "name": table.name,
        "path": f"{table.name}.csv",
        "profile": "tabular-data-resource",
        "encoding": "utf-8",
        "dialect": CSV_FORM,
        "schema": {"fields": columns, "missingValues": [""]},
    }
