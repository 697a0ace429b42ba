"""A process of ``Jobs``: ``job_process NUMBER FOLDER`` makes the points that it is given, by a descriptor."""

import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from testbed.core.errors import Interrupted, TestbedError
from testbed.experiment.messages import RunFailed, RunLine
from testbed.linux.processes.process import die_with_parent
from testbed.sweeps.folder import SweepFolder
from testbed.sweeps.making import point_made


def main() -> None:
    """Makes points until nobody gives any more."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    folder = SweepFolder(Path(sys.argv[2]))
    with Connection(int(sys.argv[1])) as there:
        try:
            with folder.staging() as staging:
                while True:
                    wanted = there.recv()
                    there.send(point_made(wanted, folder, staging, lambda line: there.send(RunLine(line))))
        except (EOFError, ConnectionError):
            return
        except (TestbedError, Interrupted) as end:
            with suppress(ConnectionError):  # another has said the same before
                there.send(RunFailed(type(end), end.args, dict(vars(end))))


if __name__ == "__main__":
    main()
