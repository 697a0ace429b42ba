"""All that was seen of one migration: what the record is made of, and what it is judged by."""

from dataclasses import dataclass

from testbed.core.plan import Plan
from testbed.core.records.migration import LinkRecord, MemoryRecord, PredictionRecord
from testbed.core.records.services import CaptureRecord
from testbed.findings.ended import Ended
from testbed.findings.guest_log import GuestLog
from testbed.findings.services import Applied
from testbed.metrics.sampler import SamplerReport
from testbed.network.traffic.cross_traffic import Crossing
from testbed.rig.guests import Condition
from testbed.rig.measuring import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known. ``marks``: running, migrate, ended, cooled; ``condition``: of the guest that is to run;
    ``faults``: what could not be found out after the end, and why.
    """

    plan: Plan
    link: LinkRecord
    ended: Ended
    tracker: str
    tracker_reason: str
    marks: dict[str, Mark]
    log: GuestLog
    memory: MemoryRecord
    memory_overhead: int | None
    sampler: SamplerReport
    condition: Condition
    predicted: PredictionRecord | None
    crossing: Crossing | None
    applied: Applied
    capture: CaptureRecord | None
    faults: tuple[str, ...] = ()
