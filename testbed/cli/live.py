"""The live view on a terminal: what is done scrolls by above, what is being done is redrawn below."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from testbed.core.events import Event, Observer, PhaseChanged
from testbed.core.outlook import Outlook, Outlooks
from testbed.core.text.printable import printable
from testbed.core.units import in_bytes, in_bytes_per_second, in_seconds
from testbed.report.words.lines import lines

FRAMES = 8
"""Redraws a second: enough to see it move, and next to nothing beside what is measured."""


@contextmanager
def live_view(title: str) -> Iterator[Observer]:
    """An observer that any thread may call."""
    console = Console(stderr=True, highlight=False)
    outlooks, lock = Outlooks(), Lock()
    console.print(Text(printable(title), "bold"))
    with Live(console=console, refresh_per_second=FRAMES, transient=True) as live:

        def observe(event: Event) -> None:
            with lock:
                outlooks.update(event)
                if not isinstance(event, PhaseChanged):
                    for line in lines(event):
                        console.print(Text(printable(line)))
                live.update(draw(outlooks.latest))

        yield observe


def draw(outlook: Outlook) -> RenderableType:
    """Where the run is, how far the round, and what link and guest do."""
    where = printable(f"{outlook.index}/{outlook.total} {outlook.name}: {outlook.phase}".rstrip())
    seen = Text("  ".join(sights(outlook)))
    if not outlook.round_bytes or outlook.phase not in ("precopy", "switchover"):
        return Group(Text(where), seen) if seen.plain else Text(where)
    grid = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=outlook.round_bytes, completed=outlook.sent_bytes, width=24)
    grid.add_row(f"round {outlook.round}", bar, *figures(outlook))
    return Group(Text(where), grid, seen)


def sights(outlook: Outlook) -> list[str]:
    """What the link and the guest do now, and how far the guest was throttled in the last round."""
    texts = []
    if outlook.link_rate is not None:
        texts.append(f"link {in_bytes_per_second(outlook.link_rate)}")
    if outlook.guest_rate is not None:
        texts.append(f"guest {outlook.guest_rate:,.0f} operations/s")
    if outlook.throttle:
        texts.append(f"throttled {outlook.throttle:.0%}")
    return texts


def figures(outlook: Outlook) -> list[str]:
    """Bytes left, rate, dirty rate, and the time that is left, as far as they are known."""
    texts = [f"{in_bytes(outlook.left_bytes)} left"]
    if outlook.rate is not None:
        texts.append(f"at {in_bytes_per_second(outlook.rate)}")
    if outlook.dirty_rate is not None:
        texts.append(f"dirtied at {in_bytes_per_second(outlook.dirty_rate)}")
    if outlook.left_s is not None:
        texts.append(f"ETA {in_seconds(outlook.left_s)}")
    elif outlook.rate is not None:
        texts.append(f"this round {in_seconds(outlook.left_bytes / outlook.rate)}")
    if outlook.all_left_s is not None and outlook.index < outlook.total:
        texts.append(f"all {in_seconds(outlook.all_left_s)}")
    return texts
