"""Scenarios: YAML in real-world size, with units, to plain plans at emulated size. The only room that uses pydantic.

scenario ─ the whole       document ─ as it was written       models, quantities, values, words ─ what may be
extends ── on another      recorded ─ as a run kept it
plans ──── made small      matrix ─── its many cases          parameters, services ─ of what has a name
faults ─── in our words    published  what others claim       schema ─ for editors
"""

from testbed.scenario.scenario import Scenario, load

__all__ = ["Scenario", "load"]
