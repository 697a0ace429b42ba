"""The keys of a scenario, as pydantic models: what each key is, its default, and what it refuses.

    Root ── scale, network ── vmotion, vm (Link)
         ├─ vm (VirtualMachine) ── workload   parameters: those of the workload's own dataclass
         │                       └ services   a list; parameters: those of each service's own dataclass
         ├─ migration ── policy               parameters: those of the policy's own dataclass
         └─ matrix, published                 read by ``matrix`` and ``published.py``

Values are in base units and real-world size here; ``plans.py`` makes them small.
"""

from typing import Annotated, Any, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator

from testbed.core.agents.moments import FORM
from testbed.core.names.catalogue import topologies
from testbed.core.parameters import Spec
from testbed.core.plan import MOST_SEED, PlannedFault
from testbed.core.text.yaml_text import Tree
from testbed.scenario import parameters
from testbed.scenario.quantities import (
    Delay,
    Factor,
    Flag,
    Goodput,
    LinkRate,
    LongerTime,
    Share,
    Size,
    Time,
    one_of,
    text,
    whole,
)
from testbed.scenario.words import (
    CONGESTION_CONTROLS,
    CONNECTIONS,
    CROSS_PROTOCOLS,
    ENDS,
    FAULT,
    engines,
    faults,
    trackers,
)

Workload: TypeAlias = Annotated[
    Spec,
    BeforeValidator(parameters.workload),
    PlainSerializer(parameters.workload_text),
    WithJsonSchema({"description": "a workload's name, or its name and parameters"}),
]
Services: TypeAlias = Annotated[
    list[Spec],
    BeforeValidator(parameters.services),
    PlainSerializer(parameters.services_text),
    WithJsonSchema({"description": "services' names, or their names and parameters; one of them may stand alone"}),
]
Policy: TypeAlias = Annotated[
    Spec,
    BeforeValidator(parameters.policy),
    PlainSerializer(parameters.policy_text),
    WithJsonSchema({"description": "a policy's name, or its name and parameters"}),
]
Faults: TypeAlias = Annotated[
    tuple[PlannedFault, ...],
    BeforeValidator(faults),
    PlainSerializer(lambda value: [str(fault) for fault in value]),
    WithJsonSchema({"anyOf": [{"type": "array", "items": FAULT}, FAULT]}),
]
NAME = "[A-Za-z0-9][A-Za-z0-9._-]*"
"""What a scenario may be called: its results' folder is called so too."""
NAME_IN_WORDS = "may hold letters, digits, '.', '-' and '_', and begins with a letter or digit"
LONGEST_NAME = 64
"""Characters."""


class Part(BaseModel):
    """What all of them share: an unknown key is an error, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Scale(Part):
    """How real-world size is made small enough to emulate."""

    size: Factor = Field(default=1.0, description="rates are divided by it, and RAM")
    time: Factor = Field(default=1.0, description="times are divided by it, and RAM")


class Link(Part):
    """One emulated link; both directions are alike."""

    rate: LinkRate | None = Field(default=None, description="as the qdisc counts: Ethernet frames")
    goodput: Goodput | None = Field(default=None, description="TCP payload; give this or rate")
    mtu: Annotated[int, *whole(1500, 9000)] = Field(default=1500, description="bytes of an IP packet")
    delay: Delay = Field(default=0.0, description="one way, added to the link's own")
    loss: Share = Field(default=0.0, description="share of packets lost, 0 to 1")
    congestion: Annotated[str, *one_of("congestion control", lambda: CONGESTION_CONTROLS)] = "cubic"

    @model_validator(mode="after")
    def _one_rate(self) -> Self:
        if self.rate is not None and self.goodput is not None:
            raise ValueError("give rate or goodput, not both (on the command line: --set network.vmotion.goodput=null)")
        return self


class CrossTraffic(Part):
    """Other traffic on the vMotion link, from esx1 to esx2."""

    rate: Goodput = Field(description="payload: a link rate or a byte rate")
    protocol: Annotated[str, *one_of("protocol of cross traffic", lambda: CROSS_PROTOCOLS)] = "udp"
    connections: Annotated[int, *whole(1, 64)] = Field(default=8, description="on how many TCP sends its rate")


class Network(Part):
    """The networks that join the hosts."""

    topology: Annotated[str, *one_of("topology", topologies)] = "two-hosts"
    vmotion: Link = Field(default_factory=Link, description="directly between the two hosts")
    vm: Link = Field(default_factory=Link, description="the virtual machines' network, for all hosts")
    cross_traffic: CrossTraffic | None = Field(default=None, description="other traffic on the vMotion link")


class VirtualMachine(Part):
    """The virtual machine that is migrated."""

    ram: Size = Field(description="a size such as 128GiB")
    workload: Workload = Field(default_factory=lambda: {"name": "idle"})
    change_bytes: Annotated[int, *whole(8, 4096, only=[2**power for power in range(3, 13)])] = Field(
        default=64, description="bytes of a page that one operation changes, a power of two from 8 to 4096"
    )
    zero_share: Share = Field(default=0.0, description="share of pages left zero, 0 to 1")
    services: Services = Field(default_factory=list, description="its applications, in the order of their areas in RAM")
    probe: Flag = Field(default=True, description="a client asks the guest every 1.9 ms whether it is there")


class Migration(Part):
    """How to migrate it."""

    policy: Policy = Field(default_factory=lambda: {"name": "vmotion"})
    streams: Annotated[int, *whole(1, 16)] = Field(default=1, description="TCP connections that carry pages")
    stream_cap: Goodput | None = Field(default=None, description="the most that one stream may carry, TCP payload")
    tracker: Annotated[str, *one_of("dirty tracker", trackers, or_file=True)] = "auto"
    connections: Annotated[str, *one_of("way with connections", lambda: CONNECTIONS)] = Field(
        default="move", description="the guest's TCP connections move with it, or are reset"
    )
    announce: Flag = Field(default=True, description="the network is told where the guest is, by RARP and ARP")
    strict: Flag = Field(
        default=False, description="hash both memories before the guest resumes; lengthens the downtime"
    )
    timeout: LongerTime = Field(default=600.0, description="the run gives up after it, in the laboratory's own time")


class Root(Part):
    """A scenario: what is migrated, over which network, how and how often."""

    name: Annotated[str, *text(LONGEST_NAME, pattern=NAME, otherwise=NAME_IN_WORDS)]
    title: Annotated[str, *text(200)] = ""
    engine: Annotated[str, *one_of("engine", engines)] = "native"
    seed: Annotated[int, *whole(0, MOST_SEED)] = 1
    chance: Flag = Field(default=False, description="simulated repeats differ by their guest's chance, by their seeds")
    scale: Scale = Field(default_factory=Scale)
    network: Network = Field(default_factory=Network)
    vm: VirtualMachine = Field(description="the virtual machine, at least vm: {ram: 1GiB}")
    migration: Migration = Field(default_factory=Migration)
    warmup: Time = Field(default=1.0, description="the guest runs before the migration, in the laboratory's own time")
    cooldown: Time = Field(default=0.5, description="the guest runs after the migration, in the laboratory's own time")
    expect: Annotated[str, *one_of("end of a migration", lambda: ENDS)] = "completes"
    faults: Faults = Field(default=(), description=f"what is to break, and when: {FORM}; one of them may stand alone")
    matrix: dict[str, list[Any]] = Field(default_factory=dict, description="every combination is one migration")
    published: list[Tree] = Field(default_factory=list, description="what the run is held against")
