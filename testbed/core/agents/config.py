"""What each agent is started with: everything it will know of the migration. Rates in bytes per second."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from testbed.core.plan import Connections
from testbed.core.text.from_json import Trusted


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestNic:
    """The guest's network interface, at either host: ``prefix`` in bits."""

    interface: str
    ip: str
    prefix: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAt:
    """The phases at which an agent is to be held: ``before`` it says what they are called after, and ``after`` that."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """``guest`` is the path of its socket, ``peer`` the destination's address, ``interface`` that of the vMotion
    network; ``migration_id`` and ``frames`` are in hexadecimal. ``policy``: name and parameters in base units.
    ``stream_cap``: what each stream may carry, None: what it gets. ``nic`` None: the guest has no network, and no
    ``frames``, which announce a guest that left and comes back.
    """

    role: Literal["source"] = "source"
    guest: str
    peer: str
    interface: str
    congestion: str
    policy: Trusted
    stream_cap: float | None
    tracker: str
    strict: bool
    connections: Connections
    migration_id: str
    streams: int
    nic: GuestNic | None
    frames: tuple[str, ...]
    hold: HoldAt = field(default_factory=HoldAt)


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationConfig:
    """As ``SourceConfig``; ``address`` is its own, ``peer`` the only one that the source may have, ``wait_s`` how long
    it is waited for. ``frames`` announce the guest.
    """

    role: Literal["destination"] = "destination"
    guest: str
    address: str
    interface: str
    peer: str
    wait_s: float
    migration_id: str
    nic: GuestNic | None
    frames: tuple[str, ...]
    hold: HoldAt = field(default_factory=HoldAt)


AgentConfig: TypeAlias = SourceConfig | DestinationConfig
