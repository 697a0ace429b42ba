"""The machine, ours alone for a while: root, the lock, what killed runs left, and room for two copies of each guest."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from testbed.core.errors import PrerequisiteMissing
from testbed.core.plan import Plan
from testbed.experiment.beside import announced
from testbed.experiment.leftovers import sweep
from testbed.experiment.lock import MachineLock
from testbed.experiment.rootless import lock_folder
from testbed.experiment.state import RunState
from testbed.fit.judging import Abilities, Fit, enough, fit
from testbed.fit.needs import needs
from testbed.fit.words import advice, warning, why
from testbed.linux.memory.pages import require_page_size
from testbed.linux.memory.room import room
from testbed.linux.processes.pace import most, pace
from testbed.linux.processes.process import most_files
from testbed.model.services import connections

SPARE = 1.25
"""So many times what is wanted is asked for: a trial that gets all but the last bursts must show what is wanted."""
FILES_BESIDE = 100
"""Open files of a guest, or of an agent, beside its connections."""


@contextmanager
def held(
    lock: str | None, plans: Sequence[Plan], waiting: Callable[[str], None] | None = None
) -> Iterator[RunState | None]:
    """Held under that name, with room for each of these guests; or none. ``waiting``: as ``MachineLock`` has it."""
    if lock is None:
        yield None
        return
    with the_machine(lock, waiting) as state:
        check_fits_all(plans)
        yield state


@contextmanager
def the_machine(what: str, waiting: Callable[[str], None] | None = None) -> Iterator[RunState]:
    """Root, the lock, and nothing left of killed runs; whatever this run starts is written down."""
    if os.geteuid() != 0:
        raise PrerequisiteMissing(
            "real hosts and links need root, or namespaces of one's own, which the command 'testbed run' enters",
            "use that, or sudo, or the engine 'simulated', which needs none",
        )
    require_page_size()
    with MachineLock(what, lock_folder(), waiting), announced():
        sweep()
        with RunState(secrets.token_hex(3)) as state:
            yield state


@contextmanager
def private(runtime: Path) -> Iterator[Path]:
    """A run's directory, mode 0700, under the name by which ``clean`` finds it should the run be killed."""
    runtime.mkdir(mode=0o700)
    try:
        yield runtime
    finally:
        shutil.rmtree(runtime, ignore_errors=True)


def check_fits_all(plans: Sequence[Plan]) -> None:
    """Raises ``PrerequisiteMissing`` when a guest's two copies do not fit into what memory is free, and may be used, or
    its connections into the open files that a process may have.
    """
    held_against = fitted(plans, machine())
    if held_against.verdict == "too large":
        raise PrerequisiteMissing(why(held_against), advice(held_against))
    most = most_files()
    for plan in plans:
        wanted = connections(plan.guest.services) + FILES_BESIDE
        if wanted > most:
            raise PrerequisiteMissing(
                f"{plan.name}: its services' connections need {wanted:,} open files, and a process may have {most:,}",
                f"fewer of them (connections, sessions), or as root: ulimit -n {wanted}",
            )


def slow_here(plans: Sequence[Plan]) -> list[str]:
    """What is to be said before they are made, and kept: that they may not be valid here. Takes a fifth of a second."""
    said = warning(fitted(plans, tried(plans)))
    return [] if said is None else [said]


def fitted(plans: Sequence[Plan], here: Abilities) -> Fit:
    """How plans fit a machine."""
    return fit([needs(plan) for plan in plans], here)


def machine() -> Abilities:
    """What memory this machine has now; its processors are not tried."""
    free = room()
    return Abilities(memory=free.size, of=free.of)


def tried(plans: Sequence[Plan]) -> Abilities:
    """What this machine has now for who makes these: asked for as many processors as they would fit into, and for all
    where it has those and they are too slow.
    """
    wanted = max(enough(needs(plan)) for plan in plans)
    found = pace(wanted * SPARE)
    if found.more and found.processors < wanted:
        found = pace(most(found.allowed))
    got = None if found.all_of_it else found.got
    return replace(machine(), cores=found.processors, speed=found.speed, at_least=found.more, got=got)
