"""How far a sweep is, for people, on stderr."""

import sys

from testbed.core.units import in_seconds
from testbed.report.words.lines import say
from testbed.sweeps.conduct import SweepProgress

SHARE = 10
"""Lines of a sweep, where they stay."""


class ShownProgress:
    """How far a sweep is, in one line that is written over on a terminal, now and then in one of its own elsewhere."""

    def __init__(self) -> None:
        self._line, self._next = sys.stderr.isatty(), 0

    def __call__(self, progress: SweepProgress) -> None:
        """Shows how far it is now."""
        last = progress.done == progress.total
        if not self._line and progress.done < self._next and not last:
            return
        self._next = progress.done + max(1, progress.total // SHARE)
        left = "" if progress.left_s is None or last else f", about {in_seconds(progress.left_s)} left"
        text = f"{progress.done} of {progress.total} points{left}"
        if self._line:
            sys.stderr.write(f"\r\x1b[K{text}" + ("\n" if last else ""))
            sys.stderr.flush()
        else:
            say(text)
