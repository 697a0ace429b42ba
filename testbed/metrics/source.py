"""What the sampler asks: a small object that reads one thing."""

from typing import Protocol, TypeAlias

Row: TypeAlias = dict[str, object]
"""One line of samples.jsonl but for ``t``: always ``kind``, then figures in bytes, seconds, bytes per second."""


class SampleSource(Protocol):
    """One thing to read: once a tick, from the sampler's thread alone, in well under a millisecond."""

    def sample(self) -> list[Row]:
        """What is to be seen now. Raises ``OSError`` when it cannot be read any more; what has ended gives no row."""
        ...

    def close(self) -> None:
        """Lets go of what it holds."""
        ...


class Seldom:
    """A source that is asked at every so-many-th tick alone, the first included: what changes slowly, or costs much."""

    def __init__(self, source: SampleSource, every: int) -> None:
        self._source, self._every, self._ticks = source, every, 0

    def sample(self) -> list[Row]:
        """The source's rows, or none."""
        self._ticks += 1
        return self._source.sample() if self._ticks % self._every == 1 else []

    def close(self) -> None:
        """Lets go of what the source holds."""
        self._source.close()
