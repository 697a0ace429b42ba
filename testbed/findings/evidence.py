"""All that is known of one migration: what its record is made of, and what it is judged by."""

from dataclasses import dataclass

from testbed.core.plan import Plan
from testbed.core.records.link import LinkRecord
from testbed.core.records.migration import MemoryRecord, PredictionRecord
from testbed.core.records.sampler import SamplerReport
from testbed.core.records.services import CaptureRecord
from testbed.findings.accounting import CrossCount
from testbed.findings.ended import Ended
from testbed.findings.guest_log import GuestLog
from testbed.findings.identity import NetworkEvidence
from testbed.findings.marks import Marks
from testbed.findings.services import ServiceFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a guest was found at the end: its own count of ``errors`` (None: it did not say), and the ``fault``: why it
    does not run there (None: it does).
    """

    errors: int | None
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """The migration as everybody who watched it has it. ``condition`` is of the guest that is to run;
    ``memory_overhead`` bytes of all processes beside the two RAMs; ``cross`` None: no cross traffic was there;
    ``network`` None: the guest has none, and no ``services``; ``faults``: what could not be found out, and why.
    """

    plan: Plan
    link: LinkRecord
    ended: Ended
    tracker: str
    tracker_reason: str
    marks: Marks
    log: GuestLog
    memory: MemoryRecord
    memory_overhead: int | None
    sampler: SamplerReport
    condition: Condition
    predicted: PredictionRecord | None = None
    cross: CrossCount | None = None
    network: NetworkEvidence | None = None
    services: tuple[ServiceFacts, ...] = ()
    capture: CaptureRecord | None = None
    faults: tuple[str, ...] = ()
