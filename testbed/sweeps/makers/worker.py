"""A worker: one machine that makes points of others' sweeps, one at a time, as long as its scheduler is there."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

from testbed.core.errors import Interrupted, PrerequisiteMissing, ScenarioError, TestbedError
from testbed.engines import registry
from testbed.linux.files.scratch import scratch
from testbed.linux.processes.interrupts import STOPPING, said
from testbed.scenario import load
from testbed.sweeps.ended import VALID
from testbed.sweeps.makers.beside import Beside
from testbed.sweeps.makers.brought import brought
from testbed.sweeps.makers.remote import CONNECT_S, MACHINE, NATIVE
from testbed.sweeps.makers.safe import SchedulerPlace, quiet, security
from testbed.sweeps.making import machine_name
from testbed.sweeps.points import canary

CANARY = "hello"


def check(engine: str, as_root: bool) -> None:
    """Raises ``ScenarioError`` for a worker that would be root's without having been asked to be."""
    if os.geteuid() == 0 and not as_root:
        why = "a worker runs what its scheduler sends, as root"
        raise ScenarioError(f"{why}; be an ordinary user (docs/without-root.md), or say --as-root")
    registry.get(engine)


def tried(engine: str) -> None:
    """Makes a canary. Raises ``TestbedError`` where it is not valid, ``PrerequisiteMissing`` for what is lacking."""
    answer = brought(canary(load(CANARY), engine, 0))
    if answer.lacks:
        raise PrerequisiteMissing(answer.lacks, "see: testbed doctor")
    if answer.made is None or answer.made.state != VALID:
        reason = answer.made.reason if answer.made else answer.busy
        raise TestbedError(f"the canary '{CANARY}' is not valid on this machine, which does not join: {reason}")


def serve(place: SchedulerPlace, engine: str, say: Callable[[str], None]) -> None:
    """Joins, and makes what is asked for. Raises ``TestbedError`` where nobody answers, or when the scheduler leaves;
    ``Interrupted``.
    """
    quiet()
    with scratch("worker") as folder:
        ended = asyncio.run(_served(place, engine, folder, say))
    if ended:
        raise Interrupted(ended)
    raise TestbedError(f"the scheduler at {place.url} has left, and so does this worker")


async def _served(place: SchedulerPlace, engine: str, folder: Path, say: Callable[[str], None]) -> str:
    """The signal that ended it, in words; empty where the scheduler did."""
    from distributed import Worker

    native = registry.get(engine).needs_machine
    name = f"{machine_name()}-{os.getpid()}"
    loop, over, heard = asyncio.get_running_loop(), asyncio.Event(), list[str]()

    def end(number: int) -> None:
        heard.append(said(number))
        over.set()

    for number in STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:
            loop.add_signal_handler(number, end, number)
    worker = Worker(
        place.url,
        nthreads=1,
        executor=Beside(),
        name=name,
        host=place.host,
        security=security(place),
        resources={MACHINE: 1.0, NATIVE: 1.0} if native else {MACHINE: 1.0},
        local_directory=str(folder),
        death_timeout=CONNECT_S,
        dashboard=False,
    )
    try:
        await asyncio.wait_for(worker, CONNECT_S)
    except (OSError, TimeoutError, ValueError) as fault:
        raise TestbedError(f"no scheduler answers at {place.url}: {str(fault)[:200] or 'in time'}") from fault
    say(f"{name} is there for the sweeps of {place.url}; Ctrl-C ends it")
    finished = asyncio.ensure_future(worker.finished())
    stopped = asyncio.ensure_future(over.wait())
    await asyncio.wait([finished, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if heard:
        await worker.close(timeout=1, reason="ended by its user")
    return heard[0] if heard else ""
