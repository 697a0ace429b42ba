"""The logs of services and clients as arrays, and the columns of them that figures are made of."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.uint64]
"""Shape (n, 4), a row an operation: start and end (ns of CLOCK_MONOTONIC), number, detail."""
START, END = 0, 1
COLUMNS = 4
NS = 1e9
"""Nanoseconds in a second."""


def joined(logs: Sequence[Rows]) -> Rows:
    """All of their rows, one log after the other; none of no log."""
    return np.concatenate(logs) if logs else np.empty((0, COLUMNS), np.uint64)
