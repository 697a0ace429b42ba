"""What came of the guest's applications: every figure from their own logs, every verdict from their own oracles."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from guest_agent.client.conversation import ClientFinished
from guest_agent.memory.verify import areas
from guest_agent.ring import COLUMNS, Rows
from guest_agent.services import Service, ServiceEvidence, Verdict
from testbed.core.records.services import BlackoutRecord, ConnectionsRecord, IdentityRecord, ServiceRecord
from testbed.findings.brownout import Stretch, describe, fell_silent
from testbed.findings.ended import Ended
from testbed.findings.reached import breakable, connections, identity, reasons, seen_blackout
from testbed.linux.files import owned
from testbed.rig.applications import Applications
from testbed.rig.measuring import Mark
from testbed.rig.mover import Guest

HOSTS = ("source", "destination")
REPEATED_S, RECONNECTED_S = 0.5, 2.5
"""Until what was lost at the switchover is said again on a connection that moved, and on one that was reset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """For the record; ``reasons`` why it may not be believed."""

    identity: IdentityRecord | None = None
    connections: ConnectionsRecord | None = None
    blackout_s: float | None = None
    blackout: BlackoutRecord | None = None
    services: list[ServiceRecord] = field(default_factory=list)
    probe_share: float | None = None
    reasons: list[str] = field(default_factory=list)


def conclude(
    applications: Applications, ended: Ended, marks: Mapping[str, Mark], runner: Guest, folder: Path
) -> Applied:
    """When both guests stand still, nothing is in flight, and no log grows any more. ``folder`` gets all rows."""
    if applications.identity is None:
        return Applied()
    found = _Services(applications, ended, marks, runner, folder)
    services = found.records()
    gap, parts = seen_blackout(applications, ended)
    findings = [f"{each.name}: {finding}" for each in services if each.verified is False for finding in each.findings]
    return Applied(
        identity=identity(applications, ended),
        connections=connections(applications, ended),
        blackout_s=gap,
        blackout=parts,
        services=services,
        probe_share=applications.probe_share,
        reasons=[*reasons(applications, ended, gap), *findings, *found.unkept],
    )


class _Services:
    """The records of all services of one migration."""

    def __init__(
        self, applications: Applications, ended: Ended, marks: Mapping[str, Mark], runner: Guest, folder: Path
    ) -> None:
        self._applications, self._ended, self._marks = applications, ended, marks
        self._areas = areas(runner.ram_fd, runner.config)
        self._folder = folder
        self._offset = 0
        self.unkept: list[str] = []
        """Whose operations could not be written, and why."""

    def records(self) -> list[ServiceRecord]:
        """In the order of their areas."""
        specs = self._applications.plan.guest.services
        return [
            self._record(index, str(spec["name"]), service)
            for index, (spec, service) in enumerate(zip(specs, self._applications.services, strict=True))
        ]

    def _record(self, index: int, name: str, service: Service) -> ServiceRecord:
        followers = self._applications.guest_logs[name]
        logs = [follower.rows() for follower in followers]
        client, said = self._applications.client_rows(name), self._applications.said.get(name)
        try:
            self._keep(name, logs, client)
        except OSError as fault:
            self.unkept.append(f"the operations of {name} could not be written: {fault.strerror or fault}")
        verdict = service.verify(
            ServiceEvidence(
                area=self._areas[index],
                read=self._reader(service),
                logs=logs,
                client=client,
                said=said,
                seed=self._applications.plan.seed,
                may_break=breakable(self._ended),
            )
        )
        rows = client if service.clients and client is not None else _joined(logs)
        made = describe(name, "client" if service.clients else "guest", rows, self._stretches(), self._edges())
        lost = sum(follower.lost for follower in followers)
        more = [f"{lost} rows of its log were lost"] if lost else []
        more += ["its clients died"] if service.clients and not said else []
        more += filter(None, [fell_silent(made, self._grace_s())])
        return _with_verdict(made, verdict, service, said, more)

    def _grace_s(self) -> float:
        """How long clients may need to be back: TCP repeats ever more seldom, and finds out by keep-alives."""
        away = 2 * (self._ended.stamps.downtime() or 0.0)
        return away + (REPEATED_S if breakable(self._ended) == 0 else RECONNECTED_S)

    def _reader(self, service: Service) -> Any:
        store, start = self._applications.datastore, self._offset
        self._offset += service.disk_bytes
        return (lambda offset, length: store.read(start + offset, length)) if store else (lambda _offset, _length: b"")

    def _edges(self) -> tuple[float, float, float, float]:
        """The service's time: running, migrate, ended, cooled."""
        at = {name: mark.at for name, mark in self._marks.items()}
        return at["running"], at["migrate"], at["ended"], at["cooled"]

    def _stretches(self) -> list[Stretch]:
        """The rounds beside the running guest, and the switchover."""
        stamps, origin = self._ended.stamps, self._marks["migrate"].at
        found = [
            Stretch(
                name=f"round {done.index}",
                begin=origin + done.started_s,
                end=origin + done.started_s + done.duration_s,
                throttled=done.throttle > 0,
            )
            for done, decision in self._ended.rounds
            if decision is not None
        ]
        if stamps.asked is not None and stamps.announced is not None:
            found.append(Stretch(name="switchover", begin=stamps.asked, end=stamps.announced))
        return found

    def _keep(self, name: str, logs: list[Rows], client: Rows | None) -> None:
        """Every operation's start and latency, for whoever wants to look closer."""
        plan = self._applications.plan
        kept: dict[str, Any] = dict(zip(HOSTS, logs, strict=False)) | ({} if client is None else {"client": client})
        owned.make_folder(self._folder)
        slug = "".join(char if char.isalnum() or char in "._-" else "_" for char in plan.name)
        packed = io.BytesIO()
        np.savez_compressed(packed, **kept)
        owned.write(self._folder / f"{slug}-{plan.repeat}-{name}.npz", packed.getvalue())


def _joined(logs: list[Rows]) -> Rows:
    return np.concatenate(logs) if logs else np.empty((0, COLUMNS), np.uint64)


def _with_verdict(
    made: ServiceRecord, verdict: Verdict, service: Service, said: ClientFinished | None, more: list[str]
) -> ServiceRecord:
    """``more``: what is wrong beside what the service's own verdict found."""
    made.operation_bytes = service.operation_bytes
    made.verified, made.method = verdict.ok and not more, verdict.method
    made.lost, made.doubled = verdict.lost, verdict.doubled
    if said is not None:
        made.errors, made.reconnects, made.abandoned = said.errors, said.reconnects, said.abandoned
    made.findings = [*verdict.findings, *more]
    return made
