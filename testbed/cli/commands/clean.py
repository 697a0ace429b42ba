"""``clean``: takes away what killed runs of this project left, and nothing else."""

import sys


def clean() -> None:
    """Remove what was left by who was killed: processes, interfaces, files. Only what this project made.

    Example: sudo testbed clean
    """
    from testbed.experiment.leftovers import sweep
    from testbed.experiment.lock import MachineLock
    from testbed.experiment.rootless import lock_folder
    from testbed.experiment.state import RUNTIME
    from testbed.linux.files.scratch import take_away_left

    with MachineLock("clean", lock_folder()):
        lines = [*sweep(), *take_away_left()] or ["nothing was left behind"]
    if lock_folder() != RUNTIME:
        lines.append("what runs of root left is taken away by: sudo testbed clean")
    sys.stderr.writelines(f"{line}\n" for line in lines)
