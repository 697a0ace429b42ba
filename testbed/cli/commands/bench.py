"""``bench``: this machine's figures, as ratios from one run."""

import sys


def bench() -> int:
    """Measure this machine: wire against iperf3, dirty tracking, downtime, memory, as ratios from one run.

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
    with the_machine("bench") as state:
        for row in rows(lambda: thrown_away(state)):
            progress.print(f"{row.measure}: {row.figure}", highlight=False)
            table.row(row.measure, row.figure, row.mark, "yes" if row.met else "no")
    Console(width=None if sys.stdout.isatty() else 110).print(table)
    return 0
