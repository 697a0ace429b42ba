"""Long series made fit for a screen: the least, the mean and the most of what falls into each pixel column.

raw      . .. : . .:  . '. . :..  '      thousands of points, kept in samples.jsonl
band     |  |  |  |  |  |  |  |  |       a point a column: no peak is lost, none is drawn twice
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from testbed.runfiles.samples import Columns

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Band:
    """A series of ``n`` columns: times (s) and, of what was seen in each, least, mean and most."""

    times: Floats
    low: Floats
    mean: Floats
    high: Floats

    def __len__(self) -> int:
        return len(self.times)


def band(times: Floats, values: Floats, columns: int) -> Band:
    """At most ``columns`` points, whatever there is; NaN is passed over. A series that is short enough is kept.

    ``times`` must rise.
    """
    known = np.isfinite(values) & np.isfinite(times)
    times, values = np.asarray(times[known], np.float64), np.asarray(values[known], np.float64)
    if len(times) <= columns:
        return Band(times=times, low=values, mean=values, high=values)
    width = (times[-1] - times[0]) / columns or 1.0
    cell = np.minimum(((times - times[0]) / width).astype(np.int64), columns - 1)
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    counts = np.diff(starts, append=len(times))
    return Band(
        times=np.add.reduceat(times, starts) / counts,
        low=np.minimum.reduceat(values, starts),
        mean=np.add.reduceat(values, starts) / counts,
        high=np.maximum.reduceat(values, starts),
    )


def rate(times: Floats, counter: Floats) -> tuple[Floats, Floats]:
    """The slope of a counter between samples, at the middle of each interval. A counter that fell was begun anew."""
    elapsed, counted = np.diff(times), np.diff(counter.astype(np.float64))
    good = (elapsed > 0) & (counted >= 0)
    return ((times[:-1] + times[1:]) / 2)[good], counted[good] / elapsed[good]


def throughput(link: Columns, host: str = "esx1") -> tuple[Floats, Floats]:
    """Bytes per second that ``host`` sent on its vMotion interface, headers and all, with the times."""
    if not {"t", "host", "tx_bytes"} <= link.keys():
        return np.empty(0), np.empty(0)
    ours = link["host"] == host
    return rate(link["t"][ours], link["tx_bytes"][ours])


def operations(guest: Columns) -> tuple[Floats, Floats]:
    """Operations per second of the one guest that the guests at both hosts are: its counter never falls."""
    if not {"t", "operations"} <= guest.keys():
        return np.empty(0), np.empty(0)
    order = np.argsort(guest["t"], kind="stable")
    times, done = guest["t"][order], np.maximum.accumulate(guest["operations"][order])
    # Both guests are read in one tick: the later reading of the two is the tick's.
    last = np.append(np.diff(times) > TICK_S, True) if len(times) else np.empty(0, bool)
    return rate(times[last], done[last])


def completed(service: Columns, columns: int) -> tuple[Floats, Floats]:
    """Operations per second of a service from the counts of its logs at one host or several: how many were completed
    in each of at most ``columns`` equal times. A time in which none was is there, and 0.
    """
    times = service["t"]
    if len(times) < 2:
        return np.empty(0), np.empty(0)
    hosts = [service["host"] == host for host in np.unique(service["host"])]
    apart = min(_apart(times[ours]) for ours in hosts)
    begin, end = float(times.min()) - apart, float(times.max())
    edges = np.linspace(begin, end, max(2, min(columns, int((end - begin) / BIN_S)) + 1))
    counts = np.zeros(len(edges))
    for ours in hosts:
        counts += _counted(times[ours], service["operations"][ours], edges, apart)
    return (edges[:-1] + edges[1:]) / 2, np.diff(counts) / (edges[1] - edges[0])


def _apart(times: Floats) -> float:
    """How far two looks at a log are apart, by those that found something."""
    return float(min(np.percentile(np.diff(times), 5), MOST_APART_S)) if len(times) > 1 else MOST_APART_S


def _counted(times: Floats, counter: Floats, edges: Floats, apart: float) -> Floats:
    """A counter at these times. It rose since the look before each sample: where it did not rise there is no sample."""
    before = np.maximum(times - apart, np.concatenate(([-np.inf], times[:-1])))
    knots = np.column_stack((before, times)).ravel()
    counts = np.column_stack((np.concatenate(([0], counter[:-1])), counter)).ravel()
    return np.interp(edges, knots, counts.astype(np.float64))


MOST_APART_S, BIN_S = 0.1, 0.16
"""What two looks at a log are apart at most, and the shortest time of which a rate is drawn: in less a service of 250
operations a second would seem to waver by which of them fell into it."""
TICK_S = 0.005
"""Readings closer together than this belong to one tick of the sampler."""
