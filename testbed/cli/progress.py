"""What a run says while it runs, on stderr: a live view on a terminal, plain lines elsewhere, nothing if so asked."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from testbed.core.events import Observer
from testbed.report.words.lines import Plain, say


@contextmanager
def watching(quiet: bool, title: str) -> Iterator[Observer]:
    """The observer that suits: ``with watching(quiet, title) as observer``."""
    if quiet:
        yield lambda _event: None
    elif sys.stderr.isatty():
        from testbed.cli.live import live_view  # a terminal's alone

        with live_view(title) as observer:
            yield observer
    else:
        say(title)
        yield Plain()
