"""The laws of pre-copy that can be written down. Sizes in bytes, rates in bytes per second, times in seconds.

    rho = D / B         D write rate, B goodput, M memory, W working set, Td downtime goal

    linear (every write hits a clean page)     round i sends M rho^(i-1)       T = M / (B - D)
    uniform over W                             x' = 1 - exp(-rho x), x = share of W that a round sends
                                               T = (M + W S(rho)) / B, S = the sum of x over the rounds after the first
    rho > 1                                    x settles at the root of x = 1 - exp(-rho x): the plateau

Sources: linear, Clark et al., Live Migration of Virtual Machines (NSDI 2005) and every text since; uniform: each of W
pages is missed by n writes with (1 - 1/W)^n.
"""

import math

from testbed.core.units import PAGE_SIZE

MOST_ROUNDS = 100_000


def total_time(memory: float, goodput: float, write_rate: float) -> float | None:
    """Linear: M / (B - D), with the last bytes sent too; None when it never ends."""
    return memory / (goodput - write_rate) if write_rate < goodput else None


def rounds(memory: float, goodput: float, write_rate: float, goal: float) -> int | None:
    """Linear: pre-copy rounds until what is left takes no longer than the goal; None when that never comes."""
    left, count = memory / goodput, 0
    while count < MOST_ROUNDS:
        left, count = left * write_rate / goodput, count + 1
        if left <= goal:
            return count
        if write_rate >= goodput:
            return None
    return None


def downtime(memory: float, goodput: float, write_rate: float, goal: float) -> float | None:
    """Linear: seconds to send what is left when it stops, without any fixed cost; None when it never stops."""
    count = rounds(memory, goodput, write_rate, goal)
    return None if count is None else memory / goodput * (write_rate / goodput) ** count


def distinct(size: float, written: float) -> float:
    """Bytes dirtied by writing ``written`` bytes, a whole page each, to uniformly random pages of ``size`` bytes.

    W (1 - (1 - 1/W)^n) in pages; W (1 - exp(-n / W)) is its limit for many pages.
    """
    pages, writes = size / PAGE_SIZE, written / PAGE_SIZE
    if pages <= 1:
        return size if writes >= 1 else 0.0
    return min(written, -size * math.expm1(writes * math.log1p(-1 / pages)))


def plateau(rho: float) -> float:
    """The share of a uniformly written working set that every round leaves, for ever: 0 for rho <= 1.

    The root of x = 1 - exp(-rho x) above 0, by Newton from above, where the function is convex.
    """
    if rho <= 1:
        return 0.0
    x = 1.0
    for _ in range(200):
        missed = math.exp(-rho * x)
        step = (x - 1 + missed) / (1 - rho * missed)
        x -= step
        if abs(step) <= 1e-15:
            break
    return x


def resent(rho: float, until: float = 0.01, most: int = MOST_ROUNDS, first: float = 1.0) -> float:
    """S(rho): working sets sent after the first round, when that one left ``first`` of it dirty (all of it, when memory
    is much larger), to the first round that sends no more than ``until``, with that one: it is the last. For rho >= 1
    it grows with the rounds, of which there are ``most`` before the last.
    """
    x, total, count = first, 0.0, 0
    while x > until and count < most:
        total, x, count = total + x, -math.expm1(-rho * x), count + 1
    return total + x
