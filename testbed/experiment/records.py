"""What is recorded and said of a run beside what its engine finds out."""

from datetime import UTC, datetime
from time import monotonic

from testbed.core.events import MigrationFinished
from testbed.core.plan import Plan
from testbed.core.records.lab import LabRecord
from testbed.core.records.link import LinkRecord
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.core.text.from_json import JsonObject
from testbed.core.version import __version__
from testbed.experiment.environment import environment


def begun(
    scenario: str, engine: str, seed: int, *, native: bool, lab: LabRecord | None = None, here: JsonObject | None = None
) -> Summary:
    """A summary of nothing yet, of the scenario of that name, on this machine, at this time. ``here``: the machine as
    ``environment`` had it, where that is known.
    """
    return Summary(
        testbed_version=__version__,
        scenario=scenario,
        engine=engine,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=seed,
        valid=False,
        invalid_reasons=[],
        environment=here or environment(["tbf, at both ends of a link"] if native else []),
        migrations=[],
        lab=lab,
    )


def failed(plan: Plan, reason: str) -> MigrationRecord:
    """The record of a migration that could not even begin."""
    from testbed.findings.ended import Ended  # these load numpy, which few runs of this come to
    from testbed.findings.record import decided

    link = plan.network.vmotion
    unmeasured = LinkRecord(
        rate=link.rate, goodput=None, expected_goodput=None, rtt_s=None, drops=None, mtu=link.mtu, verified=False
    )
    record = decided(plan, unmeasured, Ended(outcome="failed", reason=reason))
    record.invalid_reasons = [reason]
    return record


def finished(record: MigrationRecord) -> MigrationFinished:
    """What is said of a migration that has ended."""
    return MigrationFinished(
        at=monotonic(),
        migration=record.key,
        outcome=record.outcome,
        reason=record.reason,
        valid=record.valid,
        record=record,
    )
