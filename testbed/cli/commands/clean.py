"""``clean``: takes away what killed runs of this project left, and nothing else."""

import sys


def clean() -> None:
    """Remove what killed runs left: processes, interfaces, files. Only what this project made."""
    from testbed.experiment.leftovers import sweep
    from testbed.experiment.lock import MachineLock

    with MachineLock("clean"):
        lines = sweep()
    sys.stderr.writelines(f"{line}\n" for line in lines or ["nothing was left behind"])
