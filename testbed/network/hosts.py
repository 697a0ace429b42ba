"""What a fabric is made of, as values."""

from dataclasses import dataclass

from testbed.core.network.names import VM, VMOTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A host's end of a network. ``name`` is the network's own (``vmotion``, ``vm``); ``prefix`` its length in bits."""

    name: str
    ip: str
    prefix: int
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host: the namespaces of process ``pid``. None: it is not on that network."""

    name: str
    pid: int
    vmotion: Interface | None
    vm: Interface | None

    def interface(self, network: str) -> Interface | None:
        """Its end of the network of that name."""
        return {VMOTION: self.vmotion, VM: self.vm}.get(network)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """The VM network's learning switch. ``kind`` is what it is (``LinuxBridge``); ``ports`` are its interfaces."""

    name: str
    pid: int
    kind: str
    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a link: where traffic leaves, and therefore is shaped."""

    pid: int
    interface: str
