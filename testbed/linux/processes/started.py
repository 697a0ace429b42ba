"""Which process is meant: its number and when it was started, because numbers are used again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Started:
    """A process: its number, and when it was started in clock ticks since boot."""

    pid: int
    ticks: int

    def alive(self) -> bool:
        """Whether that very process still runs. One that has ended and was not waited for does not."""
        return started_at(self.pid) == self.ticks


def started_at(pid: int) -> int | None:
    """Clock ticks since boot at which the process was started (/proc/PID/stat, field 22); None: there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])
