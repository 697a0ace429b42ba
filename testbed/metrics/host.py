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
        """Nothing has to be let go of."""


def cpu_seconds(pid: int) -> float | None:
    """User and system time of a process so far. None when there is no such process."""
    try:
        return _cpu(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return None


def pss_bytes(pid: int, beside: str) -> int | None:
    """Memory with shared pages divided among who shares them (PSS), so that processes add up, but for what they have
    mapped of the memfds of the name ``beside``. None when it has ended.

    Those pages are left out one mapping at a time, not taken off a sum: who maps a guest's RAM may end while others are
    still asked, and what it shared with them would be counted twice. The kernel walks every page of the process for it:
    milliseconds a GiB, and never from the sampler.
    """
    try:
        mappings = psutil.Process(pid).memory_maps(grouped=True)
    except psutil.NoSuchProcess:
        return None
    return sum(each.pss for each in mappings if not each.path.startswith(f"/memfd:{beside}"))


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
