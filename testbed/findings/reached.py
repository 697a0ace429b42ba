"""The guest as the network had it: where it was reached, how its connections fared, what its clients' probe saw.

Each has its own ways of going unseen, so each says why it cannot be believed.
"""

from collections.abc import Iterator

from testbed.core.records.services import BlackoutRecord, ConnectionsRecord, IdentityRecord
from testbed.findings.blackout import blackout
from testbed.findings.ended import DESTINATION, SOURCE, Ended
from testbed.rig.applications import Applications
from testbed.rig.clients import PROBE


def identity(applications: Applications, ended: Ended) -> IdentityRecord | None:
    """Its MAC and IP, and where the switch sent what is for it."""
    if applications.identity is None:
        return None
    return IdentityRecord(
        mac=applications.identity.mac,
        ip=applications.identity.ip,
        forwarding_before=applications.forwarding.get("before"),
        forwarding_after=applications.forwarding.get("after"),
        announcements=ended.announced,
    )


def connections(applications: Applications, ended: Ended) -> ConnectionsRecord | None:
    """None where the source agent did not say: it died, or the guest had no network."""
    told = ended.facts and ended.facts.connections
    if not told:
        return None
    reconnects = sum(said.reconnects for said in applications.said.values())
    return ConnectionsRecord(
        mechanism=told.mechanism,
        reason=told.reason,
        moved=told.moved if ended.outcome == "completed" else 0,
        refused=told.refused,
        reconnects=reconnects,
        refusals=told.refusals,
        foreseen=told.foreseen,
    )


def breakable(ended: Ended) -> int | None:
    """How many connections could not be carried over, and so may have broken; None: any number of them."""
    told = ended.facts and ended.facts.connections
    if not told or (told.mechanism == "reset" and ended.outcome == "completed"):
        return None
    return told.refused


def seen_blackout(applications: Applications, ended: Ended) -> tuple[float | None, BlackoutRecord | None]:
    """By the probe's log; nothing where there was no probe, or no switchover."""
    rows, edges = applications.client_rows(PROBE), _switchover(ended)
    return (None, None) if rows is None or edges is None else blackout(rows, *edges)


def reasons(applications: Applications, ended: Ended, blackout_s: float | None) -> Iterator[str]:
    """Why what the network saw may not be believed."""
    if applications.identity is None:
        return
    if ended.announce_fault:
        times = f"{ended.announced} times" if ended.announced else "by nobody"
        yield f"the guest was announced {times} at the destination: {ended.announce_fault}"
    yield from _refused(ended)
    expected = DESTINATION if ended.outcome == "completed" else SOURCE
    found = applications.forwarding.get("after")
    if found != expected and (found or ended.outcome == "completed"):
        yield f"the switch sends what is for the guest to {found or 'nowhere'}, and it is at {expected}"
    if PROBE in (client.name for client in applications.clients):
        if PROBE not in applications.said:
            yield "the client's probe died, or said nothing at its end: how long the guest was away is not known"
        elif blackout_s is None and ended.outcome == "completed" and _switchover(ended):
            yield "the client's probe was not answered after the switchover"


def _refused(ended: Ended) -> Iterator[str]:
    """What was acknowledged on a connection that was left behind may be lost with it."""
    told = ended.facts and ended.facts.connections
    if told and told.refused:
        why = ", ".join(f"{count} {reason}" for reason, count in told.refusals.items())
        verb = "could not be carried over" if ended.outcome == "completed" else "did not outlast the attempt"
        yield f"{told.refused} of the guest's TCP connections {verb}" + (f": {why}" if why else "")


def _switchover(ended: Ended) -> tuple[float, float] | None:
    """Asked to pause, and running at the destination where it can be heard: the edges of the downtime."""
    asked, announced = ended.stamps.asked, ended.stamps.announced
    return None if asked is None or announced is None else (asked, announced)
