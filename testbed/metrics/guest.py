"""The guest's own progress: how many operations it has completed."""

from collections.abc import Callable

from testbed.metrics.source import Row


class GuestSource:
    """Rows ``guest``. ``read`` gives the guest's operation counter, or None while nobody can say.

    The achieved write rate is the slope of ``operations`` times the page size, and is derived where it is shown.
    """

    def __init__(self, read: Callable[[], int | None], host: str | None = None) -> None:
        self._read, self._host = read, host

    def sample(self) -> list[Row]:
        """One row, or none."""
        operations = self._read()
        if operations is None:
            return []
        row: Row = {"kind": "guest", "operations": operations}
        return [row if self._host is None else {**row, "host": self._host}]

    def close(self) -> None:
        """Nothing has to be let go of."""
