"""What came of the guest's applications: every figure from their own logs, every verdict from their own oracles."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from guest_agent.config import GuestConfig
from guest_agent.ring import COLUMNS, Rows
from guest_agent.services import Evidence as ServiceEvidence
from guest_agent.services import Service, Verdict
from guest_agent.verify import areas
from testbed.core.service_record import BlackoutRecord, ConnectionsRecord, IdentityRecord, ServiceRecord
from testbed.engines.applications import Applications
from testbed.engines.blackout import blackout
from testbed.engines.brownout import Stretch, describe
from testbed.engines.clients import PROBE
from testbed.engines.guests import GuestProcess
from testbed.engines.measuring import Mark
from testbed.engines.outcome import Ended

HOSTS = ("source", "destination")


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
    applications: Applications, ended: Ended, marks: Mapping[str, Mark], runner: GuestProcess, folder: Path
) -> Applied:
    """When both guests stand still, nothing is in flight, and no log grows any more. ``folder`` gets all rows."""
    if applications.identity is None:
        return Applied()
    described = _Services(applications, ended, marks, runner, folder)
    services = described.records()
    gap, parts = _blackout(applications, ended)
    reasons = [f"{each.name}: {finding}" for each in services if each.verified is False for finding in each.findings]
    return Applied(
        identity=_identity(applications, ended),
        connections=_connections(applications, ended),
        blackout_s=gap,
        blackout=parts,
        services=services,
        probe_share=applications.probe_share,
        reasons=reasons,
    )


def _identity(applications: Applications, ended: Ended) -> IdentityRecord | None:
    if applications.identity is None:
        return None
    return IdentityRecord(
        mac=applications.identity.mac,
        ip=applications.identity.ip,
        forwarding_before=applications.forwarding.get("before"),
        forwarding_after=applications.forwarding.get("after"),
        announcements=ended.announced,
    )


def _connections(applications: Applications, ended: Ended) -> ConnectionsRecord | None:
    told = ended.destination.get("connections") or ended.facts.get("connections")
    if not told:
        return None
    reconnects = sum(said.get("reconnects", 0) for said in applications.said.values())
    return ConnectionsRecord(
        mechanism=told.get("mechanism", "reset"),
        reason=told.get("reason") or "",
        moved=told.get("moved", 0),
        refused=told.get("refused", 0),
        reconnects=reconnects,
    )


def _blackout(applications: Applications, ended: Ended) -> tuple[float | None, BlackoutRecord | None]:
    rows, stamps = applications.client_rows(PROBE), ended.facts.get("stamps", {})
    if rows is None or stamps.get("asked") is None or stamps.get("first_step") is None:
        return None, None
    return blackout(rows, stamps["asked"], stamps["first_step"])


class _Services:
    """The records of all services of one migration."""

    def __init__(
        self, applications: Applications, ended: Ended, marks: Mapping[str, Mark], runner: GuestProcess, folder: Path
    ) -> None:
        self._applications, self._ended, self._marks = applications, ended, marks
        self._areas = areas(runner.ram_fd, GuestConfig(**runner.config))
        self._folder = folder
        self._offset = 0

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
        client, said = self._applications.client_rows(name), self._applications.said.get(name, {})
        self._keep(name, logs, client)
        verdict = service.verify(
            ServiceEvidence(
                area=self._areas[index],
                read=self._reader(service),
                logs=logs,
                client=client,
                said=said,
                seed=self._applications.plan.seed,
            )
        )
        rows = client if service.clients and client is not None else _joined(logs)
        made = describe(name, "client" if service.clients else "guest", rows, self._stretches(), self._edges())
        verdict = _unless_lost(verdict, sum(follower.lost for follower in followers))
        return _with_verdict(made, verdict, service, said, died=service.clients and not said)

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
        stamps, origin = self._ended.facts.get("stamps", {}), self._marks["migrate"].at
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
        if stamps.get("asked") is not None and stamps.get("first_step") is not None:
            found.append(Stretch(name="switchover", begin=stamps["asked"], end=stamps["first_step"]))
        return found

    def _keep(self, name: str, logs: list[Rows], client: Rows | None) -> None:
        """Every operation's start and latency, for whoever wants to look closer."""
        plan = self._applications.plan
        kept: dict[str, Any] = dict(zip(HOSTS, logs, strict=False)) | ({} if client is None else {"client": client})
        self._folder.mkdir(exist_ok=True)
        slug = "".join(char if char.isalnum() or char in "._-" else "_" for char in plan.name)
        np.savez_compressed(self._folder / f"{slug}-{plan.repeat}-{name}.npz", **kept)


def _joined(logs: list[Rows]) -> Rows:
    return np.concatenate(logs) if logs else np.empty((0, COLUMNS), np.uint64)


def _unless_lost(verdict: Verdict, lost: int) -> Verdict:
    if not lost:
        return verdict
    return replace(verdict, ok=False, findings=(*verdict.findings, f"{lost} rows of its log were lost"))


def _with_verdict(
    made: ServiceRecord, verdict: Verdict, service: Service, said: Mapping[str, Any], *, died: bool
) -> ServiceRecord:
    made.operation_bytes = service.operation_bytes
    made.verified, made.method = verdict.ok and not died, verdict.method
    made.lost, made.doubled = verdict.lost, verdict.doubled
    made.errors, made.reconnects = said.get("errors"), said.get("reconnects")
    made.findings = [*verdict.findings, *(["its clients died"] if died else [])]
    return made
