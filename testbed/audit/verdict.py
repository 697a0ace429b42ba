"""All agreements of a run, migration by migration, and what they come to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from testbed.audit import asked, chain, clock, downtime, guest, link, model, policy, workload, written
from testbed.audit.agreement import Agreement
from testbed.audit.subject import Subject, subjects
from testbed.core.migration_key import MigrationKey

Family: TypeAlias = Callable[[Subject], Iterator[Agreement]]
FAMILIES: tuple[Family, ...] = (
    written.of,
    chain.of,
    downtime.of,
    clock.of,
    link.of,
    guest.of,
    policy.of,
    asked.of,
    model.of,
    workload.of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedAgreement:
    """An agreement, and the migration that it is of; None: of the run as a whole."""

    migration: MigrationKey | None
    agreement: Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAudit:
    """A run that was audited. ``valid`` is its own word."""

    folder: Path
    scenario: str
    valid: bool
    found: tuple[AuditedAgreement, ...]

    @property
    def broken(self) -> list[AuditedAgreement]:
        """Agreements that do not hold."""
        return [each for each in self.found if each.agreement.state == "not held"]

    def __str__(self) -> str:
        states = [each.agreement.state for each in self.found]
        held, wrong, open_ = (states.count(state) for state in ("held", "not held", "not known"))
        said = f"{wrong} of {held + wrong} agreements do not hold" if wrong else f"all {held} agreements hold"
        left = f", {open_} cannot be known" if open_ else ""
        return f"{self.folder}: {said}{left}" + ("" if self.valid else "; by its own word the run is not valid")


def audit(folder: Path) -> RunAudit:
    """The run in a folder, held against itself. Raises ``ScenarioError`` for one that cannot be read."""
    summary, migrations = subjects(folder)
    found = [AuditedAgreement(migration=None, agreement=each) for each in written.of_run(summary)]
    for subject in migrations:
        found += [AuditedAgreement(migration=subject.done.key, agreement=each) for each in of_migration(subject)]
    return RunAudit(folder=folder, scenario=summary.scenario, valid=summary.valid, found=tuple(found))


def of_migration(subject: Subject) -> list[Agreement]:
    """Every family's, in order."""
    return [each for family in FAMILIES for each in family(subject)]
