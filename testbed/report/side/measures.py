"""The figures that runs are compared by: in words, with their unit, and how each is read at either size.

Runs at different scales are compared at real-world size. What is this machine's own at any scale has no such size: a
gap or a blackout is partly downtime that scales and partly what does not, and no record says how much of which.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from testbed.core.records.migration import MigrationRecord
from testbed.report.words.digits import Unit

Read: TypeAlias = Callable[[MigrationRecord], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """``key`` is its name in JSON; ``real`` is None where it has no real-world size."""

    key: str
    words: str
    unit: Unit
    emulated: Read
    real: Read | None = None


def _real(key: str) -> Read:
    return lambda done: done.full_scale.get(key)


def _rounds(record: MigrationRecord) -> float:
    return float(len(record.rounds))


def throttled_s(record: MigrationRecord) -> float | None:
    """For how long its guest was throttled."""
    return None if record.throttle is None else record.throttle.active_s


def throttled_real_s(record: MigrationRecord) -> float | None:
    """For how long its guest was throttled at real-world size: a throttle is on while rounds are sent, and that scales
    as time does.
    """
    return None if record.throttle is None else record.throttle.active_s * record.scale["time"]


THROTTLED = Measure(key="throttled_s", words="throttled time", unit="s", emulated=throttled_s, real=throttled_real_s)
MEASURES = (
    Measure(
        key="total_time_s",
        words="total time",
        unit="s",
        emulated=lambda done: done.total_time_s,
        real=_real("total_time_s"),
    ),
    Measure(
        key="downtime_s", words="downtime", unit="s", emulated=lambda done: done.downtime_s, real=_real("downtime_s")
    ),
    Measure(key="guest_gap_s", words="gap of the guest", unit="s", emulated=lambda done: done.guest_gap_s),
    Measure(
        key="client_blackout_s", words="blackout of the client", unit="s", emulated=lambda done: done.client_blackout_s
    ),
    Measure(
        key="bytes_sent",
        words="sent",
        unit="B",
        emulated=lambda done: float(done.bytes_sent),
        real=_real("bytes_sent"),
    ),
    Measure(key="rounds", words="rounds", unit="", emulated=_rounds, real=_rounds),
)


def measures(migrations: Iterable[MigrationRecord]) -> list[Measure]:
    """Those above, the throttled time if any of these was throttled, and how long each service halted at most."""
    migrations = list(migrations)
    services = dict.fromkeys(each.name for done in migrations for each in done.services)
    throttled = [THROTTLED] if any(throttled_s(done) for done in migrations) else []
    return [*MEASURES, *throttled, *(_halt(name) for name in services)]


def _halt(service: str) -> Measure:
    def read(record: MigrationRecord) -> float | None:
        return next((each.longest_halt_s for each in record.services if each.name == service), None)

    return Measure(key=f"longest_halt_s {service}", words=f"longest halt of {service}", unit="s", emulated=read)
