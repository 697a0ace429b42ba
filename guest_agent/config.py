"""What one guest is asked to be: read from JSON, checked before any memory is touched."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from guest_agent.services import Service
from guest_agent.services import build as build_service
from guest_agent.workloads import Workload, build
from testbed.core.errors import ScenarioError
from testbed.core.parameters import Spec
from testbed.core.text.json_lines import argument, argument_object
from testbed.core.units import PAGE_SIZE, in_bytes

STATE_PAGES = 1
"""Page 0, the state; the areas of services follow it, then the working set."""

Role = Literal["source", "destination"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestConfig:
    """Base units. ``workload`` is its name and parameters. ``change_bytes`` of a page are changed by one operation.

    ``zero_share``: share of the pages left zero at first. ``batch_s``: how often due operations are carried out.
    ``services``: its applications, each a name and parameters; ``address``: its own IP, empty without a network;
    ``disk_fd``: an inherited descriptor of the datastore, opened for direct I/O, -1 without one.
    """

    role: Role = "source"
    ram_bytes: int
    workload: Spec = field(default_factory=lambda: {"name": "idle"})
    change_bytes: int = 64
    zero_share: float = 0.0
    seed: int = 1
    batch_s: float = 0.001
    services: list[Spec] = field(default_factory=list)
    address: str = ""
    disk_fd: int = -1

    @classmethod
    def parse(cls, text: str) -> "GuestConfig":
        """From a JSON object. Raises ``ScenarioError``."""
        try:
            config = cls(**argument_object(text))
        except (ValueError, TypeError) as error:
            raise ScenarioError(f"the guest's configuration cannot be read: {error}") from error
        config.check()
        return config

    def check(self) -> Workload:
        """The workload, if all of this can be. Raises ``ScenarioError`` with what was expected."""
        for right, message in self._rules():
            if not right:
                raise ScenarioError(message)
        workload = build(self.workload)
        size, areas = workload.working_set, self._area_bytes()
        if size is not None and size > self.ram_bytes:
            raise ScenarioError(f"working_set ({in_bytes(size)}) is larger than ram ({in_bytes(self.ram_bytes)})")
        if areas + max(size or 0, (STATE_PAGES + 1) * PAGE_SIZE) > self.ram_bytes:
            beside = f" beside a working_set of {in_bytes(size)}" if size else ""
            ram = in_bytes(self.ram_bytes)
            raise ScenarioError(f"the services need {in_bytes(areas)}{beside}, and ram is {ram}; make it larger")
        return workload

    @property
    def pages(self) -> int:
        """How many pages its RAM has."""
        return self.ram_bytes // PAGE_SIZE

    @property
    def reserved_pages(self) -> int:
        """Pages before the working set: the state, and the areas of services."""
        return STATE_PAGES + self._area_bytes() // PAGE_SIZE

    def built_services(self) -> list[Service]:
        """The services, in the order of their areas. Raises ``ScenarioError``."""
        return [build_service(spec) for spec in self.services]

    def to_json(self) -> str:
        """As ``parse`` reads it."""
        return argument(self)

    def _area_bytes(self) -> int:
        return PAGE_SIZE * sum(service.area_pages for service in self.built_services())

    def _rules(self) -> Iterator[tuple[bool, str]]:
        """In order: a later rule may take for granted what an earlier one says."""
        ram, change = self.ram_bytes, self.change_bytes
        yield self.role in ("source", "destination"), f"role must be source or destination, not {self.role!r}"
        yield _whole(ram), f"ram must be a whole number of bytes, not {ram!r}"
        yield ram % PAGE_SIZE == 0, f"ram must be whole pages of {PAGE_SIZE} bytes, not {ram}"
        yield 2 <= self.pages < 2**32, f"ram must be at least 2 pages and under 16 TiB, not {ram} bytes"
        fits = _whole(change) and 8 <= change <= PAGE_SIZE and change & (change - 1) == 0
        yield fits, f"change_bytes must be a power of two from 8 to {PAGE_SIZE}, not {change!r}"
        yield _number(self.zero_share, 0, 1), f"zero_share must lie between 0 and 1, not {self.zero_share!r}"
        yield _whole(self.seed) and 0 <= self.seed < 2**63, f"seed must be a whole number, not {self.seed!r}"
        yield _number(self.batch_s, 1e-5, 1), f"batch_s must lie between 10 us and 1 s, not {self.batch_s!r}"
        yield isinstance(self.services, list), f"services must be a list, not {self.services!r:.60}"
        good = all(isinstance(service, dict) for service in self.services)
        yield good, f"services must be names with parameters, not {self.services!r:.60}"
        names = [service.get("name") for service in self.services]
        yield all(names.count(name) == 1 for name in names), f"every service can be there once, not {names}"
        yield isinstance(self.address, str), f"address must be an IP address or empty, not {self.address!r}"
        yield _whole(self.disk_fd) and self.disk_fd >= -1, f"disk_fd must be a descriptor or -1, not {self.disk_fd!r}"
        yield isinstance(self.workload, dict), f"workload must be a name with parameters, not {self.workload!r}"


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
