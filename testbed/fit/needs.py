"""What a migration needs of a machine: memory for two copies of its guest, and processors, as seen on two of 3 GHz.

    processors = fixed + (link x PER_BYTE_S + writes x PER_WRITE_S + requests x PER_REQUEST_S) / scale

``fixed`` is what watches, and what turns round whether or not there is anything to do. The rest is rates, which
scale.size divides (core.units), as it divides memory. Measured on ``hello``, ``bank``, ``keep-talking`` and
``iometer-halt``: what the record's ``cpu`` says, and the kernel's part of the link, which no process is charged for.
"""

from dataclasses import dataclass, replace

from testbed.core.plan import GuestPlan, Plan
from testbed.core.units import PAGE_SIZE
from testbed.model.services import area_pages

BESIDE = 512 * 2**20
"""Bytes that all processes of a run may need beside the two copies of the guest's RAM."""
FIXED = 0.2
"""Of a core: the guest's loop 0.06, the client's probe 0.03, samples 0.02, the run itself and what it waits for."""
PER_BYTE_S = 1.2e-9
"""Of the link: 0.33 at the source, 0.45 at the destination, 0.4 in the kernel between them."""
PER_WRITE_S = 1.5e-6
"""An operation of the guest, with the fault that tracking costs it."""
PER_REQUEST_S = 40e-6
"""One of a service: guest, client, and both their kernels."""
PER_IO_S = 150e-6
"""An operation on a disk that is durable."""
UNKNOWN_PER_S = 500.0
"""Requests a second of one that goes as fast as it can, of each client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What one migration needs. ``size``: its scale.size; ``ram``: bytes of one copy, of which ``least`` cannot be
    scaled away; ``fixed`` and ``rates``: processors.
    """

    name: str
    size: float
    ram: int
    least: int
    fixed: float
    rates: float

    @property
    def memory(self) -> int:
        """Bytes, of all processes."""
        return 2 * self.ram + BESIDE

    def cores(self, speed: float = 1.0) -> float:
        """Processors, of the kind that was measured on, where one is so many times as fast. What is fixed wakes by the
        clock and does less where each step takes longer: it wants its share of a processor, and not of that kind's.
        """
        return self.fixed * min(1.0, speed) + self.rates

    def smaller(self, factor: float) -> "Needs":
        """What the same experiment needs with a scale.size so many times as large."""
        ram = round(self.ram / factor / PAGE_SIZE) * PAGE_SIZE
        return replace(self, size=self.size * factor, ram=ram, rates=self.rates / factor)


def needs(plan: Plan) -> Needs:
    """What a plan needs at the size that it is emulated at."""
    rates = _link(plan) * PER_BYTE_S + _writes(plan.guest) * PER_WRITE_S + _services(plan.guest)
    return Needs(
        name=plan.name,
        size=plan.scale.size,
        ram=plan.guest.ram_bytes,
        least=(64 + area_pages(plan.guest.services)) * PAGE_SIZE,
        fixed=FIXED,
        rates=rates,
    )


def _link(plan: Plan) -> float:
    """Bytes a second that it carries; 0 for one without a rate, which takes what there is."""
    link, cross = plan.network.vmotion, plan.network.cross_traffic
    rate = (link.goodput or link.rate or 0.0) / 8
    streams = plan.migration.stream_cap
    taken = rate if streams is None or not rate else min(rate, plan.migration.streams * streams / 8)
    return taken + (cross.rate / 8 if cross else 0.0)


def _writes(guest: GuestPlan) -> float:
    """Pages a second; of a workload in phases the busiest."""
    return _rate(guest.workload) / PAGE_SIZE


def _rate(workload: object) -> float:
    if isinstance(workload, dict):
        return max([float(workload.get("write_rate") or 0.0), *(_rate(part) for part in workload.values())])
    return max(map(_rate, workload), default=0.0) if isinstance(workload, list | tuple) else 0.0


def _services(guest: GuestPlan) -> float:
    return sum(_service(each) for each in guest.services)


def _service(service: dict[str, object]) -> float:
    """Processors that one takes, by the words that its kind has."""

    def number(key: str) -> float:
        value = service.get(key)
        return float(value) if isinstance(value, int | float) else 0.0

    match service["name"]:
        case "echo":
            return number("connections") / (number("interval") or 1 / UNKNOWN_PER_S) * PER_REQUEST_S
        case "oltp":
            return min(number("sessions") / (number("think_time") + 1e-3), 4000.0) * PER_REQUEST_S
        case "iometer":
            return (number("iops") or UNKNOWN_PER_S) * PER_IO_S
        case _:
            return UNKNOWN_PER_S * PER_REQUEST_S
