"""What processes use: CPU time and memory, by psutil."""

import psutil

from testbed.core.errors import TestbedError
from testbed.metrics.source import Row


class ProcessSource:
    """Rows ``process``, one for each of ``pids`` (by the name that the rows carry) as long as it lives.

    Raises ``TestbedError`` when one is not there at the start.
    """

    def __init__(self, pids: dict[str, int]) -> None:
        self._processes = {name: _process(pid) for name, pid in pids.items()}

    def sample(self) -> list[Row]:
        """CPU seconds (user and system) since each began, and its resident bytes, shared ones too."""
        rows: list[Row] = []
        for name, process in list(self._processes.items()):
            try:
                rows.append(_row(name, process))
            except psutil.NoSuchProcess:
                del self._processes[name]
        return rows

    def close(self) -> None:
        """Nothing is held."""


def cpu_seconds(pid: int) -> float | None:
    """User and system time of a process so far. None when there is no such process."""
    try:
        return _cpu(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return None


def pss_bytes(pid: int) -> int | None:
    """Memory with shared pages divided among who shares them (PSS), so that processes add up. None when it has ended.

    The kernel walks every page of the process for it: milliseconds a GiB, and never from the sampler.
    """
    try:
        return int(psutil.Process(pid).memory_full_info().pss)
    except psutil.NoSuchProcess:
        return None


def _process(pid: int) -> psutil.Process:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess as error:
        raise TestbedError(f"process {pid} is not there to be measured: did it end at its start?") from error


def _row(name: str, process: psutil.Process) -> Row:
    cpu, memory = _cpu(process), process.memory_info()
    return {"kind": "process", "name": name, "pid": process.pid, "cpu_s": cpu, "rss_bytes": memory.rss}


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
