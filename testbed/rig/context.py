"""What all migrations of one run share, whatever carries them out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from testbed.core.events import Observer
from testbed.core.records.migration import MigrationRecord
from testbed.linux.processes.interrupts import Noted
from testbed.metrics.sampler import PERIOD_S
from testbed.rig.orders import Orders
from testbed.runfiles.folder import RunFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What all migrations of one run share. ``runtime`` is a private directory for sockets, gone with the run;
    ``folder`` gets the run's files; ``started`` is told every process of the run, so that what a killed run left can be
    found. ``number`` of the migration in its run, from 1; ``capture``: its packets are kept (``packets.capture``);
    ``controls``: what is done to it by hand; ``sample_s``: how often is sampled; ``decided`` is given the record of a
    migration as soon as its end is decided, and keeps it before it returns; ``noted`` signals came while a migration
    was followed to its end.
    """

    run_id: str
    runtime: Path
    folder: RunFolder
    observer: Observer
    started: Callable[[int], None]
    number: int = 1
    capture: bool = False
    sample_s: float = PERIOD_S
    controls: Orders = field(default_factory=Orders)
    decided: Callable[[MigrationRecord], None] = lambda _record: None
    noted: Noted = field(default_factory=Noted)
