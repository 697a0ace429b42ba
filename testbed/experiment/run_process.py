"""The process of ``apart``: ``run_process.py NUMBER``, a descriptor by which all is heard and told."""

import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from testbed.core.errors import Interrupted, TestbedError
from testbed.experiment.messages import RunDone, RunFailed, RunLine, RunWanted
from testbed.experiment.rootless import become_root
from testbed.linux.processes.interrupts import interruptible
from testbed.linux.processes.process import die_with_parent


def main() -> None:
    """Enters, runs, and tells."""
    die_with_parent()
    with Connection(int(sys.argv[1])) as there:
        telling = threading.Lock()

        def tell(words: Any) -> None:
            with telling:
                there.send(words)

        try:
            wanted = there.recv()
            become_root()
            with interruptible():
                _run(wanted, tell)
            tell(RunDone())
        except (TestbedError, Interrupted, KeyboardInterrupt) as end:
            with suppress(OSError):  # nobody listens any more
                tell(RunFailed(type(end), end.args, dict(vars(end))))


def _run(wanted: RunWanted, tell: Any) -> None:
    from testbed.experiment.run import run_scenario
    from testbed.scenario import load

    loaded = load(wanted.scenario, overrides=wanted.overrides, seed=wanted.seed)
    run_scenario(
        loaded,
        out=wanted.out,
        repeat=wanted.repeat,
        seed=wanted.seed,
        engine=wanted.engine,
        page=wanted.page,
        wait=wanted.wait,
        observer=tell,
        say=lambda line: tell(RunLine(line)),
    )


if __name__ == "__main__":
    main()
