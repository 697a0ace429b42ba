"""The guest as the agents see it: memory, a process to stun, and a way to let it run."""

from typing import Protocol

from testbed.dirty import GuestPorts


class Guest(Protocol):
    """A guest process on this host. What it computes is none of the agents' business."""

    def ports(self) -> GuestPorts:
        """Its memory and process, once."""
        ...

    def pause(self) -> None:
        """Returns when no thread of it can run."""
        ...

    def resume(self) -> None:
        """Undoes ``pause``; harmless when it runs."""
        ...

    def run(self) -> tuple[float, int]:
        """Continue from the state in RAM: when the first operation was done (CLOCK_MONOTONIC, s), and which it was."""
        ...

    def operations(self) -> int:
        """How many operations its state in RAM says are done."""
        ...
