"""What chance leaves open: the same migration a few dozen times, each with a luck of its own, and what they span.

Of sixty replicas and the run to come, each is as likely as another to be the least or the most of all sixty-one. So the
run lies within what the replicas span with a chance of 59 in 61, 97 %, for each figure by itself.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

import numpy as np

from testbed.core.plan import Plan
from testbed.core.records.migration import PredictionEnd, PredictionRecord
from testbed.model.chance import Draw, Scatter
from testbed.model.predict import predict
from testbed.model.source import Costs
from testbed.policies import build
from testbed.policies.decisions import Limit, early_look

REPLICAS = 60


def predict_with_chance(
    plan: Plan,
    *,
    goodput: float,
    rtt_s: float = 0.0,
    costs: Costs | None = None,
    scatter: Scatter | None = None,
    limit: Limit = nullcontext,
) -> PredictionRecord:
    """As ``predict``, with the interval of each figure; the plan's seed gives the same one again. ``scatter``: what the
    machine adds; None: nothing, and chance is the guest's alone.
    """

    def made(draw: Draw | None) -> PredictionRecord:
        return predict(plan, goodput=goodput, rtt_s=rtt_s, costs=costs, draw=draw, limit=limit)

    said, seeds = made(None), np.random.SeedSequence(plan.seed).spawn(REPLICAS)
    scatter, slices = scatter or Scatter(), early_look(build(plan.migration.policy)) is None
    replicas = [made(Draw(np.random.default_rng(seed), scatter, slices)) for seed in seeds]
    alike = [each for each in replicas if each.outcome == said.outcome]
    return replace(
        said,
        low=_end(min, [said, *alike]),
        high=_end(max, [said, *alike]),
        replicas=len(replicas),
        alike=len(alike),
    )


def _end(end: Callable[[list[float]], float], of: list[PredictionRecord]) -> PredictionEnd:
    downtimes = [each.downtime_s for each in of if each.downtime_s is not None]
    return PredictionEnd(
        total_time_s=end([each.total_time_s for each in of]),
        downtime_s=end(downtimes) if downtimes else None,
        bytes_sent=int(end([each.bytes_sent for each in of])),
        rounds=int(end([each.rounds for each in of])),
    )
