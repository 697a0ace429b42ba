"""``clean``: takes away what killed runs of this project left, and nothing else."""

import sys


def clean() -> None:
    """Remove what killed runs left: processes, interfaces, files. Only what this project made.

    Example: sudo testbed clean
    """
    from testbed.experiment.leftovers import sweep
    from testbed.experiment.lock import MachineLock
    from testbed.experiment.rootless import lock_folder
    from testbed.experiment.state import RUNTIME

    with MachineLock("clean", lock_folder()):
        lines = sweep() or ["nothing was left behind"]
    if lock_folder() != RUNTIME:  # what an ordinary user's run makes ends with it, whoever kills it
        lines = ["no run of yours is under way, and a killed one leaves nothing; what root's left: sudo testbed clean"]
    sys.stderr.writelines(f"{line}\n" for line in lines)
