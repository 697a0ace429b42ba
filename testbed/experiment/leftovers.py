"""Takes away what killed runs left: its processes and files, and nothing else."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from testbed.experiment.state import NEW, RUNTIME, RunState, left_behind
from testbed.linux.processes.pidfd import opened
from testbed.linux.processes.started import Started, started_at
from testbed.linux.processes.waiting import Patience

PATIENCE = 5.0
"""Seconds to wait for killed processes to be gone: then their namespaces, links and memory go too."""


def sweep(runtime: Path = RUNTIME) -> list[str]:
    """Takes away what killed runs left, and says what that was, a line each. To be called holding the lock."""
    lines = [line for state in left_behind(runtime) for line in take_away(state)]
    for half in sorted(runtime.glob(f"*{NEW}")):  # of a run that was killed as it wrote down that it is there
        half.unlink(missing_ok=True)
        lines.append(f"removed {half}")
    return lines


def take_away(state: RunState) -> list[str]:
    """What was done, a line each, the run's name first."""
    lines = list(_processes(state.processes))
    if state.folder.is_dir() and not state.folder.is_symlink():
        shutil.rmtree(state.folder, ignore_errors=True)
        lines.append(f"removed {state.folder}")
    state.forget()
    return [f"run {state.run_id}: {line}" for line in lines or ["had left nothing but its name"]]


def _processes(processes: list[Started]) -> Iterator[str]:
    """SIGKILL to each that is still the one that the run started; waits until all are gone."""
    killed = [process for process in processes if process.alive()]
    for process in killed:
        with suppress(ProcessLookupError):
            _kill(process)
            yield f"killed process {process.pid}"
    patience = Patience(PATIENCE)
    while any(process.alive() for process in killed):
        if patience.over():
            yield "some of its processes have not ended yet; try again"
            return
        time.sleep(0.01)


def _kill(process: Started) -> None:
    """Through a descriptor, so that the number cannot come to mean another process between the look and the kill."""
    descriptor = opened(process.pid)
    try:
        if started_at(process.pid) == process.ticks:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    finally:
        os.close(descriptor)
