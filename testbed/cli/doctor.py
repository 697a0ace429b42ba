"""``doctor``: what this machine can do, what is missing, and the command that mends it."""

import sys

from testbed.core.errors import PrerequisiteMissing

WIDE = 160
"""Columns where there is no terminal, so that a row stays a line."""


def doctor() -> int:
    """Show what this machine can do, what is missing and the command that mends it."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from testbed.cli.probes import probes

    table = Table("what", "", "found", "mended by", box=None, header_style="bold", pad_edge=False)
    missing = []
    for each in probes():
        state = Text("ok", "green") if each.works else Text("missing", "red" if each.needed else "yellow")
        table.add_row(Text(each.what), state, Text(each.detail), Text("" if each.works else each.remedy))
        missing += [each.what] if each.needed and not each.works else []
    Console(highlight=False, width=None if sys.stdout.isatty() else WIDE).print(table)
    if missing:
        raise PrerequisiteMissing(f"no run is possible without {', '.join(missing)}", "see 'mended by' above")
    return 0
