"""The guest as the network had it: where it was reached, how its connections fared, what its clients' probe noted.

Each has its own ways of going unnoticed, so each says why it cannot be believed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from testbed.core.agents.moments import left
from testbed.core.records.services import BlackoutRecord, ConnectionsRecord, IdentityRecord
from testbed.findings.blackout import blackout
from testbed.findings.ended import DESTINATION, SOURCE, Ended
from testbed.findings.rows import Rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NetworkEvidence:
    """What the VM network had of the guest. ``forwarding_before`` and ``_after``: the host to which the switch sent
    what is for it, None: nowhere. ``reconnects`` are all of its clients' own. ``probe``: the probe's log, shape (n, 4),
    None where there was no probe; ``probe_finished``: it lived to its end and said so; ``probe_share`` of one core is
    what it took, None where that is not known.
    """

    mac: str
    ip: str
    forwarding_before: str | None
    forwarding_after: str | None
    reconnects: int = 0
    probe: Rows | None = None
    probe_finished: bool = False
    probe_share: float | None = None


def identity(network: NetworkEvidence, ended: Ended, *, announce: bool = True) -> IdentityRecord:
    """Its MAC and IP, and where the switch sent what is for it; ``announce``: whether it was to be told."""
    return IdentityRecord(
        mac=network.mac,
        ip=network.ip,
        forwarding_before=network.forwarding_before,
        forwarding_after=network.forwarding_after,
        announcements=ended.announced,
        announce=announce,
    )


def connections(network: NetworkEvidence, ended: Ended) -> ConnectionsRecord | None:
    """What became of the guest's TCP connections; None where the source agent did not say, since it died."""
    told = ended.facts and ended.facts.connections
    if not told:
        return None
    return ConnectionsRecord(
        mechanism=told.mechanism,
        reason=told.reason,
        moved=told.moved if ended.outcome == "completed" else 0,
        refused=told.refused,
        reconnects=network.reconnects,
        refusals=told.refusals,
        foreseen=told.foreseen,
    )


def breakable(ended: Ended) -> int | None:
    """How many connections could not be carried over, and so may have broken; None: any number of them."""
    told = ended.facts and ended.facts.connections
    if not told or (told.mechanism == "reset" and ended.outcome == "completed"):
        return None
    return told.refused


def probed_blackout(network: NetworkEvidence, ended: Ended) -> tuple[float | None, BlackoutRecord | None]:
    """The client's blackout (s) by the probe's log, and its parts; nothing without a probe, or a switchover."""
    edges = _switchover(ended)
    return (None, None) if network.probe is None or edges is None else blackout(network.probe, *edges)


def network_reasons(
    network: NetworkEvidence, ended: Ended, blackout_s: float | None, *, announce: bool = True
) -> Iterator[str]:
    """Why what the network had of the guest may not be believed, in sentences. That a guest which nobody was to
    ``announce`` is not found is no such reason: it is what is to be seen.
    """
    if ended.announce_fault and not left(ended.faults):
        times = f"{ended.announced} times" if ended.announced else "by nobody"
        yield f"the guest was announced {times} at the destination: {ended.announce_fault}"
    yield from _refused(ended)
    if announce:
        yield from _elsewhere(network, ended)
    yield from _unprobed(network, ended, blackout_s, announce=announce)


def _refused(ended: Ended) -> Iterator[str]:
    """What was acknowledged on a connection that was left behind may be lost with it."""
    told = ended.facts and ended.facts.connections
    if told and told.refused:
        why = ", ".join(f"{count} {reason}" for reason, count in told.refusals.items())
        verb = "could not be carried over" if ended.outcome == "completed" else "did not outlast the attempt"
        yield f"{told.refused} of the guest's TCP connections {verb}" + (f": {why}" if why else "")


def _elsewhere(network: NetworkEvidence, ended: Ended) -> Iterator[str]:
    """A switch that has forgotten a guest which stayed finds it again at its next word."""
    completed, port = ended.outcome == "completed", network.forwarding_after
    expected = DESTINATION if completed else SOURCE
    if port != expected and (port or completed):
        yield f"the switch sends what is for the guest to {port or 'nowhere'}, and it is at {expected}"


def _unprobed(network: NetworkEvidence, ended: Ended, blackout_s: float | None, *, announce: bool) -> Iterator[str]:
    if network.probe is None:
        return
    if not network.probe_finished:
        yield "the client's probe died, or said nothing at its end: how long the guest was away is not known"
    elif announce and blackout_s is None and ended.outcome == "completed" and _switchover(ended):
        yield "the client's probe was not answered after the switchover"


def _switchover(ended: Ended) -> tuple[float, float] | None:
    """Asked to pause, and running at the destination where it can be heard: the edges of the downtime."""
    asked, announced = ended.stamps.asked, ended.stamps.announced
    return None if asked is None or announced is None else (asked, announced)
