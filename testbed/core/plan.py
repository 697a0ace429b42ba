"""What one migration is asked to be, in emulated size: the scenario after units, scaling and matrix.

Plain values: everything below ``scenario`` sees plans and never a YAML file.
"""

from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from testbed.core.errors import ScenarioError
from testbed.core.migration_key import GUEST, MigrationKey
from testbed.core.parameters import Spec
from testbed.core.settings import Settings

MOST_SEED = (1 << 63) - 1
"""A seed is a signed number of 64 bits wherever it is kept."""
Expect: TypeAlias = Literal["completes", "gives_up"]
"""How a migration is meant to end: it completes, or its policy gives up and the guest stays where it is."""

Connections: TypeAlias = Literal["move", "reset"]
"""What becomes of the guest's TCP connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPlan:
    """One emulated link, both directions alike. Rates in bit/s; ``rate`` counts what the qdisc counts (Ethernet
    frames without preamble and checksum), ``goodput`` TCP payload: one of them is given, none means unshaped.
    """

    rate: float | None = None
    goodput: float | None = None
    mtu: int = 1500
    delay_s: float = 0.0
    loss: float = 0.0
    congestion: str = "cubic"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossTrafficPlan:
    """What else is on the vMotion link, from esx1 to esx2: ``rate`` in bit/s of TCP or UDP payload, TCP's on so many
    ``connections``.
    """

    rate: float
    protocol: Literal["udp", "tcp"] = "udp"
    connections: int = 8

    @property
    def elastic(self) -> bool:
        """Whether it yields where others want the link, too."""
        return self.protocol == "tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPlan:
    """The hosts' networks: ``vmotion`` directly between them, ``vm`` through a learning switch for all.

    ``cross_traffic`` runs on the vMotion link from after its calibration until after the switchover.
    """

    topology: str = "two-hosts"
    vmotion: LinkPlan
    vm: LinkPlan = field(default_factory=LinkPlan)
    cross_traffic: CrossTrafficPlan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestPlan:
    """The guest. ``ram_bytes`` is a whole number of pages; ``workload`` is its spec, in base units.

    ``change_bytes``: how many bytes of a page one operation changes. ``zero_share``: share of pages left zero.
    ``services``: its applications' specs, in base units and in the order of their areas in RAM.
    ``probe``: a client asks the guest at least every 2 ms whether it is there.
    """

    ram_bytes: int
    workload: Spec
    change_bytes: int = 64
    zero_share: float = 0.0
    services: tuple[Spec, ...] = ()
    probe: bool = True
    name: str = GUEST


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """What is to break in a migration: ``what`` when ``phase`` begins. ``core.agents.phases`` has the words."""

    phase: str
    what: str

    def __str__(self) -> str:
        return f"{self.phase}:{self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationPlan:
    """How to migrate. ``policy`` is its spec, in base units; ``tracker`` may be ``auto``.

    ``stream_cap``: the most that one stream may carry, bit/s of TCP payload; None: what it gets. ``connections``: the
    guest's TCP connections move with it, or are reset so that clients have to connect again. ``announce``: the network
    is told where the guest now is.
    """

    policy: Spec
    streams: int = 1
    tracker: str = "auto"
    strict: bool = False
    timeout_s: float = 600.0
    stream_cap: float | None = None
    connections: Connections = "move"
    announce: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalePlan:
    """Rates are divided by ``size``, RAM by ``size * time``, times by ``time``."""

    size: float = 1.0
    time: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One migration. ``settings`` holds what the matrix set, by its path, as the scenario wrote it.

    ``expect``: how it is meant to end; one that ends otherwise is not valid. ``faults`` are injected, in the order in
    which the migration comes to their phases. ``own_code``: the user's own files that it runs, by the names that the
    scenario has, each with its SHA-256. ``chance``: a simulated one has a luck of its own, by its seed.
    """

    name: str
    settings: Settings = field(default_factory=dict)
    repeat: int = 1
    seed: int = 1
    scale: ScalePlan = field(default_factory=ScalePlan)
    network: NetworkPlan
    guest: GuestPlan
    migration: MigrationPlan
    warmup_s: float = 1.0
    cooldown_s: float = 0.5
    expect: Expect = "completes"
    faults: tuple[PlannedFault, ...] = ()
    own_code: dict[str, str] = field(default_factory=dict)
    chance: bool = False

    @property
    def key(self) -> MigrationKey:
        """Which migration of its run it is."""
        return MigrationKey(name=self.name, repeat=self.repeat, guest=self.guest.name)

    def repeated(self, repeat: int) -> "Plan":
        """A repeat of this plan, counted from 1. Raises ``ScenarioError`` as ``seed_of``."""
        return replace(self, repeat=repeat, seed=seed_of(self.seed, repeat))


def seed_of(first: int, repeat: int) -> int:
    """A repeat's: it rises by one each time. Raises ``ScenarioError`` beyond the largest that there is."""
    if first + repeat - 1 > MOST_SEED:
        raise ScenarioError(f"seed {first} is too large for {repeat} repeats: the last one's would be above 2^63 - 1")
    return first + repeat - 1
