"""The downtime, cut into parts that add up to it: every stamp is CLOCK_MONOTONIC, which both hosts share.

asked ─pause─ paused ─last_scan─ scanned ─last_round─ received ─state─ sent ─prepare─ prepared ─commit─ handed
      ─resume─ first step ─announce─ announced
"""

from dataclasses import dataclass

PHASES = ("pause", "last_scan", "last_round", "state", "prepare", "commit", "resume", "announce")


@dataclass(slots=True, kw_only=True)
class Stamps:
    """Seconds of CLOCK_MONOTONIC; None until it happened. ``sent``: the guest is silent at the source and all of its
    connections are on their way; ``first_step``: it has done an operation at the destination, which nobody hears of
    before ``announced``: its link is up there and was announced once, and it goes on.
    """

    asked: float | None = None
    paused: float | None = None
    scanned: float | None = None
    received: float | None = None
    sent: float | None = None
    prepared: float | None = None
    handed: float | None = None
    first_step: float | None = None
    announced: float | None = None

    def phases(self) -> dict[str, float]:
        """Seconds by name, in order; empty unless the guest runs at the destination."""
        edges = (
            *(self.asked, self.paused, self.scanned, self.received, self.sent),
            *(self.prepared, self.handed, self.first_step, self.announced),
        )
        known = [edge for edge in edges if edge is not None]
        if len(known) < len(edges):
            return {}
        return {name: after - before for name, before, after in zip(PHASES, known, known[1:], strict=False)}

    def downtime(self) -> float | None:
        """From before the stun is asked to after the guest's first step at the destination, when it is heard there."""
        if self.asked is None or self.announced is None:
            return None
        return self.announced - self.asked
