"""Who makes points where no other machine is asked for: this process, or as many beside it as there are processors."""

import os
from collections.abc import Callable

from testbed.core.errors import ScenarioError
from testbed.engines import registry
from testbed.scenario.quantities import asked_whole
from testbed.sweeps.folder import SweepFolder
from testbed.sweeps.makers.here import Here, Makers
from testbed.sweeps.makers.jobs import Jobs

MOST_JOBS = 256
"""Processes; more are a mistake."""


def local(
    engine: str, folder: SweepFolder, jobs: int | None, say: Callable[[str], None], *, option: str = "--jobs"
) -> Callable[[], Makers]:
    """Who makes them. Raises ``ScenarioError`` for more than one where the machine is needed; ``option``: what the
    caller calls their number.
    """
    if jobs is not None and not 1 <= (jobs := asked_whole(option, jobs)) <= MOST_JOBS:
        raise ScenarioError(f"{option} is a whole number from 1 to {MOST_JOBS}, not {jobs}")
    needs_machine = registry.get(engine).needs_machine
    if needs_machine and jobs not in (None, 1):
        raise ScenarioError(f"engine '{engine}' has the machine to itself: one point at a time; leave out {option}")
    count = 1 if needs_machine else jobs or len(os.sched_getaffinity(0))
    return lambda: Here(folder, say) if count == 1 else Jobs(folder, count, say)
