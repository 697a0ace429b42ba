"""``bench``: this machine's figures, as ratios from one run."""

import sys


def bench() -> int:
    """Measure this machine: wire against iperf3, dirty tracking, downtime, memory, as ratios from one run.

    It takes some minutes. Each figure is told on stderr as soon as it is known, and the table comes at the end, also
    where it is ended early. Exits with 0 whether marks are met or not.

    Example: sudo testbed bench
    """
    from rich.console import Console

    from testbed.bench.rows import rows
    from testbed.experiment.composition import thrown_away
    from testbed.experiment.machine import the_machine
    from testbed.experiment.rootless import become_root
    from testbed.report.words.tables import Fitting

    become_root()
    table = Fitting(("measure", "figure", "mark", "met"), prose=("measure", "figure"))
    progress = Console(stderr=True)
    try:
        with the_machine("bench") as state:
            progress.print("each figure is measured several times; the first takes a minute", highlight=False)
            for row in rows(lambda: thrown_away(state)):
                progress.print(f"{row.measure}: {row.figure}", highlight=False)
                table.row(row.measure, row.figure, row.mark, "yes" if row.met else "no")
    finally:
        if table.rows:  # what was measured is measured, whatever ends it
            Console(width=None if sys.stdout.isatty() else 110).print(table)
    return 0
