"""Whose memory it was, as ``summary.json`` has it."""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class FingerprintRecord:
    """The guest's memory where it came to rest, after so many ``operations``: a ``digest`` (hexadecimal) of what in it
    the seed and the workload alone decide. ``guest_agent.memory.fingerprint`` says of which bytes, and recomputes it.
    """

    operations: int
    digest: str
