"""The downtime, cut into parts that add up to it: every stamp is CLOCK_MONOTONIC, which both hosts share.

asked ─pause─ paused ─last_scan─ scanned ─last_round─ received ─state─ sent ─prepare─ prepared ─commit─ handed
      ─announce─ announced ─resume─ first step
"""

from dataclasses import dataclass

PHASES = ("pause", "last_scan", "last_round", "state", "prepare", "commit", "announce", "resume")


@dataclass(slots=True, kw_only=True)
class Stamps:
    """Seconds of CLOCK_MONOTONIC; None until it happened. ``sent``: the guest is silent at the source and all of its
    connections are on their way; ``announced``: its link is up at the destination and was announced once.
    """

    asked: float | None = None
    paused: float | None = None
    scanned: float | None = None
    received: float | None = None
    sent: float | None = None
    prepared: float | None = None
    handed: float | None = None
    announced: float | None = None
    first_step: float | None = None

    def phases(self) -> dict[str, float]:
        """Seconds by name, in order; empty unless the guest took its first step at the destination."""
        edges = (
            *(self.asked, self.paused, self.scanned, self.received, self.sent),
            *(self.prepared, self.handed, self.announced, self.first_step),
        )
        known = [edge for edge in edges if edge is not None]
        if len(known) < len(edges):
            return {}
        return {name: after - before for name, before, after in zip(PHASES, known, known[1:], strict=False)}

    def downtime(self) -> float | None:
        """From before the pause is asked to after the guest's first step at the destination."""
        if self.asked is None or self.first_step is None:
            return None
        return self.first_step - self.asked
