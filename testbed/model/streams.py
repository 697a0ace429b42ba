"""The streams of a migration: how long they take for the next of their bytes, after all that they have carried.

    bytes/s   rate      ╭──────╮                without loss it stays at the rate once slow start is over
                       ╱        ╲___
              mean    ╱             ─────────   where frames are lost at random it comes down to the mean
                    10 segments each

A stream begins with 10 segments (RFC 6928), w bytes in all streams, and doubles them each round trip until there are as
many as the link holds, B rtt. So V bytes, B rtt - w of them at most, take

t = rtt log2(1 + V / w)                         and each byte more 1 / B

Of a share p of segments the first is lost when 1 / p were sent and the window has half as many. That is seen a round
trip later, at twice that, of which CUBIC leaves beta = 0.7, Reno 0.5 (RFC 9438, 4.6). So slow start ends with beta / p,
if the link holds more. From then on a window of W loses some each round trip with a chance of 1 - e^-pW, and with that
1 - beta of itself. What it gains meanwhile is taken to be what it is at its mean M (``link``), where both are equal:

W' = W - (1 - beta) (W (1 - e^-pW) - M (1 - e^-pM))
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt

SEGMENTS_FIRST = 10
_LEFT = {"cubic": 0.7, "reno": 0.5}
"""Of a window, by a loss: beta."""
_NEAR = 1.001
"""Times the mean: from there on it is taken to be the mean."""
_MOST_ROUND_TRIPS = 20_000
Array: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RandomLoss:
    """A share of the segments of each stream that is lost. ``mean``: a stream's window in segments at last; ``slow``:
    that with which it leaves slow start, if the link holds it. ``random``: by what chance, and not on average.
    """

    share: float
    mean: float
    left: float
    slow: float
    random: np.random.Generator | None = None

    @classmethod
    def of(cls, share: float, mean: float, congestion: str) -> Self:
        """As it is on average, under ``cubic`` or ``reno``."""
        return cls(share=share, mean=mean, left=_LEFT[congestion], slow=_LEFT[congestion] / share)

    def drawn(self, random: np.random.Generator) -> Self:
        """As it may go, instead of on average."""
        return replace(self, slow=self.slow * float(random.standard_exponential()), random=random)

    def next_window(self, window: float) -> float:
        """What is left of a window after a round trip."""
        lost, usual = (-math.expm1(-self.share * each) for each in (window, self.mean))
        if self.random is not None:
            lost = float(self.random.random() < lost)
        return max(self.mean, window - (1 - self.left) * (lost * window - usual * self.mean))


@dataclass(frozen=True, kw_only=True)
class Streams:
    """``rate``: bytes per second that all of them get of the link. ``first``: bytes that they send before any is
    acknowledged. ``segments``: bytes of one segment of each.
    """

    rate: float
    rtt_s: float = 0.0
    first: float = math.inf
    segments: int = 1
    loss: RandomLoss | None = None

    def seconds(self, size: float, after: float = 0.0) -> float:
        """For ``size`` bytes, ``after`` so many others without a pause."""
        if after >= self._doubled and not self._lossy:
            return size / self.rate  # exactly
        return self._until(after + size) - self._until(after)

    def rate_after(self, sent: float) -> float:
        """Bytes per second that they carry when they have sent so many, slow start apart."""
        if not self._lossy:
            return self.rate
        sizes, times = self._way_down
        after = int(np.searchsorted(sizes, sent - self._doubled, side="right"))
        if after >= len(sizes):
            return self._mean
        before = max(1, after) - 1
        return float((sizes[before + 1] - sizes[before]) / (times[before + 1] - times[before]))

    @property
    def _lossy(self) -> bool:
        """Whether loss keeps them below the link's rate at last."""
        return self.loss is not None and self.rtt_s > 0 and self._mean < self.rate

    @property
    def _mean(self) -> float:
        return self.loss.mean * self.segments / self.rtt_s if self.loss else self.rate

    @property
    def _held(self) -> float:
        """Bytes under way when slow start is over."""
        held = self.rate * self.rtt_s
        if self.loss is None or not self._lossy:
            return held
        return min(held, self.segments * max(self.loss.mean, self.loss.slow))

    @property
    def _doubled(self) -> float:
        """Bytes that went in slow start."""
        return max(0.0, self._held - self.first)

    def _until(self, size: float) -> float:
        """Seconds from the first byte on."""
        slowly = min(size, self._doubled)
        begun_s, left = self.rtt_s * math.log2(1 + slowly / self.first), size - slowly
        if not self._lossy:
            return begun_s + left / self.rate
        sizes, times = self._way_down
        if left < sizes[-1]:
            return begun_s + float(np.interp(left, sizes, times))
        return begun_s + float(times[-1]) + (left - float(sizes[-1])) / self._mean

    @cached_property
    def _way_down(self) -> tuple[Array, Array]:
        """Bytes that have gone, and seconds, round trip by round trip from slow start's end to the mean."""
        windows = [self._held / self.segments]
        while self.loss and windows[-1] > _NEAR * self.loss.mean and len(windows) < _MOST_ROUND_TRIPS:
            windows.append(self.loss.next_window(windows[-1]))
        sizes = np.zeros(len(windows) + 1)
        np.cumsum(windows, out=sizes[1:])
        return sizes * self.segments, np.arange(len(sizes), dtype=np.float64) * self.rtt_s
