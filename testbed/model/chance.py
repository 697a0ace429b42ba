"""The model with the scatter that a finite number of pages has, and the machine it runs on: one possible run of many.

Distinct pages. Of n pages that N_j writes of phase j hit with chances p_ij, each is missed by all with q_i = the
product of (1 - p_ij)^N_j. How many are hit has the mean n - sum q_i, which is the fluid's, and the variance

    sum q_i (1 - q_i) - sum over j of N_j (sum over i of p_ij q_i)^2

(occupancy with a fixed number of balls: Johnson and Kotz, Urn Models, 1977, chapter 3; of equal chances, c = N / n:
n e^-c (1 - (1 + c) e^-c)), and is nearly normal. Writes in order hit as many as they are. First writes that a throttle
counts are as many as it lets through. Each collection begins with clean pages, so rounds are independent.

Slices. Auto-converge stops the guest as a whole: a round has a whole number of such stops, and a rest.
Batches. A guest carries out what is due each millisecond, so a round begins and ends anywhere within one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from testbed.core.rounds import Throttle
from testbed.model.guest import SLICE_S, FluidGuest, stopped_s
from testbed.model.source import Costs, FluidSource
from testbed.model.streams import Streams
from testbed.model.writes import Phase, Vector

BATCH_S = 0.001
"""guest_agent.config's ``batch_s``."""
LATE_S = 0.0003
"""By which auto-converge stops a guest late, on average."""
SWITCHOVER = ("pause_s", "last_scan_s", "prepare_s", "commit_s", "resume_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """What a machine adds to chance. ``goodput``: standard deviation of a link's, as a share, from one run to the next.
    ``round_s``: that of a round's fixed cost, from one round to the next. ``switchover``: that of the logarithms of the
    switchover's parts, and ``slips`` how many stalls a switchover has. ``stalls``: how many a second of sending has. A
    stall takes ``stall_s`` seconds on average.
    """

    goodput: float = 0.0
    round_s: float = 0.0
    switchover: float = 0.0
    slips: float = 0.0
    stalls: float = 0.0
    stall_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Draw:
    """One run's luck. ``slices``: auto-converge's stops are counted one by one; not for a policy that looks so often
    that each look would fall on a stop's end, where a real one falls anywhere.
    """

    random: np.random.Generator
    scatter: Scatter
    slices: bool = True

    def streams(self, expected: Streams) -> Streams:
        """With the rate that the link has this time, and losses when they come this time."""
        rate = expected.rate * (1 + self.scatter.goodput * self.random.standard_normal())
        return replace(expected, rate=rate, loss=expected.loss.drawn(self.random) if expected.loss else None)

    def costs(self, expected: Costs) -> Costs:
        """With a switchover as it goes this time."""
        drawn = np.exp(self.scatter.switchover * self.random.standard_normal(len(SWITCHOVER)))
        known = {name: getattr(expected, name) for name in expected.__slots__}
        parts = {name: known[name] * factor for name, factor in zip(SWITCHOVER, drawn, strict=True)}
        parts["resume_s"] += self._stalled(self.scatter.slips)
        return Costs(**known | parts)

    def delay(self, sending_s: float) -> float:
        """Seconds that sending takes longer, or less long, this time."""
        slower = self.scatter.round_s * float(self.random.standard_normal())
        return slower + self._stalled(self.scatter.stalls * sending_s)

    def _stalled(self, expected: float) -> float:
        """Seconds of as many stalls as there are this time, when so many are expected."""
        return float(self.random.exponential(self.scatter.stall_s, self.random.poisson(expected)).sum())


class ScatteredGuest(FluidGuest):
    """A guest whose pages are hit by chance."""

    def __init__(
        self, workload: Mapping[str, Any], ram_bytes: int, services: Sequence[Mapping[str, Any]], draw: Draw
    ) -> None:
        self._random, self._slices = draw.random, draw.slices
        self._edge = self._rest = self._since = 0.0
        self._counted = False
        super().__init__(workload, ram_bytes, services)

    def run(self, duration_s: float, throttle: Throttle | None = None) -> None:
        """From within one batch to within another."""
        edge = BATCH_S * float(self._random.random())
        self._edge, duration_s = edge, max(0.0, duration_s + edge - self._edge)
        if self._slices and (stopped := stopped_s(throttle)):
            self._run_in_slices(duration_s, stopped)
            return
        self._counted = throttle is not None and throttle.dirty_rate is not None
        super().run(duration_s, throttle)

    def held_s(self, throttle: Throttle | None) -> float:
        """The rest of the stop that the round has ended in."""
        if not self._slices:
            return super().held_s(throttle)
        return self._rest if stopped_s(throttle) else 0.0

    def _run_in_slices(self, duration_s: float, stopped: float) -> None:
        """A slice running, ``stopped`` not, and again. The round begins where the last one ended; where that was within
        a stop, with a slice, for it was waited for.
        """
        running = SLICE_S + float(self._random.exponential(LATE_S))
        end, cycle = self._since + duration_s, running + stopped
        ran = end // cycle * running + min(end % cycle, running) - self._since
        self._rest = cycle - end % cycle if end % cycle > running else 0.0
        self._since = 0.0 if self._rest else end % cycle
        before = self.wanted
        super().run(ran)
        self.wanted = before + (self.wanted - before) / ran * duration_s if ran else before

    def _clean(self) -> None:
        super()._clean()
        self._writes = np.zeros(len(self._phases))

    def _advance(self, phase: Phase, time: float, pace: float, cap: float | None) -> tuple[float, float]:
        spent, done = super()._advance(phase, time, pace, cap)
        self._writes[self._index] += done if phase.rate else 0.0
        return spent, done

    def _found(self, shares: Vector) -> Vector:
        expected = float((self._pages * shares).sum())
        if self._counted or not expected:
            return shares
        drawn = self._random.normal(expected, np.sqrt(self._variance(1 - shares)))
        return np.minimum(1.0, shares * max(0.0, drawn) / expected)

    def _variance(self, missed: Vector) -> float:
        """Of how many pages are dirty; ``missed``: the share of each cell that is not."""
        at_random = np.where(self._swept > 0, 0.0, missed)
        common = sum(
            writes * float((phase.share * at_random).sum()) ** 2
            for phase, writes in zip(self._phases, self._writes, strict=True)
            if not phase.swept
        )
        return max(0.0, float((self._pages * at_random * (1 - at_random)).sum()) - common)


class ScatteredSource(FluidSource):
    """A source on a machine that is never quite the same."""

    def __init__(
        self,
        draw: Draw,
        guest: FluidGuest,
        *,
        ram_bytes: int,
        streams: Streams,
        costs: Costs,
        timeout_s: float,
        scattered: bool,
    ) -> None:
        super().__init__(
            guest,
            ram_bytes=ram_bytes,
            streams=draw.streams(streams),
            costs=draw.costs(costs),
            timeout_s=timeout_s,
            scattered=scattered,
        )
        self._draw = draw
        self._known_s = costs.switchover_s(streams.rtt_s)  # what is known beforehand, whatever it comes to this time

    def _sending(self, size: int) -> float:
        sending = super()._sending(size)
        return max(0.0, sending + self._draw.delay(sending))
