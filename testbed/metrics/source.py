"""What the sampler asks: a small object that reads one thing."""

from typing import Protocol, TypeAlias

Row: TypeAlias = dict[str, object]
"""One line of samples.jsonl but for ``t``: always ``kind``, then figures in bytes, seconds, bytes per second."""


class Source(Protocol):
    """One thing to read: once a tick, from the sampler's thread alone, in well under a millisecond."""

    def sample(self) -> list[Row]:
        """What is to be seen now. Raises ``OSError`` when it cannot be read any more; what has ended gives no row."""
        ...

    def close(self) -> None:
        """Lets go of what it holds."""
        ...
