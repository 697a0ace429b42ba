"""The client's blackout, and what it was spent on: from its last answer before a switchover to the first one after.

    last answer        asked to pause                            first step        request      first answer
         │──last_answer──│───────────────downtime────────────────│──next_request──│──next_answer──│

The edges are the downtime's own, so that both lie on one axis. A part that does not lie within the blackout has no
length: an answer may leave the guest, or be on its way, after the pause was asked for. The longest silence near a
switchover need not be it: a throttled guest keeps its clients waiting too.
"""

from dataclasses import dataclass

import numpy as np

from testbed.core.records.services import AROUND, ASIDE, BlackoutRecord
from testbed.findings.guest_log import GAP_WINDOW_S, Times
from testbed.findings.rows import END, NS, START, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gap:
    """No answer came between these two times; the request that was answered at the end of it had left at ``sent``."""

    begin: float
    end: float
    sent: float


def blackout(rows: Rows, asked: float, first_step: float) -> tuple[float | None, BlackoutRecord | None]:
    """The longest interval between two answers of which a part lies within a second of the switchover, in seconds.

    ``rows``: a client's log, shape (n, 4); ``asked`` and ``first_step``: the edges of the downtime, in seconds of the
    same clock. Nothing where no answer came before the switchover, or none after it: then nobody saw its end.
    """
    begin, end = asked - GAP_WINDOW_S, first_step + GAP_WINDOW_S
    sent, answered = _answers(rows)
    if not len(answered) or answered[0] > asked or answered[-1] < first_step:
        return None, None
    gap = _longest(sent, answered, begin, end)
    within = (answered >= begin) & (answered <= end)
    asked_at = np.sort(sent[within])
    record = BlackoutRecord(
        answers=int(within.sum()),
        median_interval_s=float(np.median(np.diff(asked_at))) if len(asked_at) > 1 else gap.end - gap.begin,
        begin_s=gap.begin - asked,
        parts=_parts(gap, asked, first_step),
    )
    return gap.end - gap.begin, record


def _answers(rows: Rows) -> tuple[Times, Times]:
    """When each request left and was answered, in seconds, in the order of the answers."""
    ordered = rows[np.argsort(rows[:, END], kind="stable")].astype(np.int64)
    return ordered[:, START] / NS, ordered[:, END] / NS


def _longest(sent: Times, answered: Times, begin: float, end: float) -> _Gap:
    """There are answers before and after what lies between these times, with or without some in it."""
    first = max(0, int(np.searchsorted(answered, begin, "right")) - 1)
    last = min(len(answered), int(np.searchsorted(answered, end, "left")) + 1)
    near = answered[first:last]
    if len(near) < 2:
        return _Gap(begin=float(near[0]), end=float(near[0]), sent=float(near[0]))
    index = int(np.diff(near).argmax())
    return _Gap(begin=float(near[index]), end=float(near[index + 1]), sent=float(sent[first + index + 1]))


def _parts(gap: _Gap, asked: float, first_step: float) -> dict[str, float]:
    """They add up to the gap: each begins where the one before it ends. A gap that does not touch the downtime is one
    part: the guest was slow to answer then, and not away.
    """
    if gap.end <= asked or gap.begin >= first_step:
        before, after = ASIDE
        return {before if gap.end <= asked else after: gap.end - gap.begin}
    left = min(max(gap.sent, first_step, gap.begin), gap.end)
    edges = [gap.begin, _within(gap, asked), _within(gap, first_step), max(left, _within(gap, first_step)), gap.end]
    return dict(zip(AROUND, np.diff(edges).tolist(), strict=True))


def _within(gap: _Gap, at: float) -> float:
    return min(max(at, gap.begin), gap.end)
