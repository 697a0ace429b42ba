"""What sampling did and cost, from the sampler to the record."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerReport:
    """``taken`` and ``lost`` are ticks; ``cpu_s`` processor seconds of ``elapsed_s``; ``held_back`` the share of all
    processors' time that the host of a virtual machine gave to others meanwhile (steal).
    """

    taken: int
    lost: int
    cpu_s: float
    elapsed_s: float
    held_back: float = 0.0

    @property
    def cpu_share(self) -> float:
        """Share of one core that sampling took, 0 of no time."""
        return self.cpu_s / self.elapsed_s if self.elapsed_s > 0 else 0.0
