"""The numbers of a service's operations, as its logs have them: which are not there, and which are there twice."""

from collections.abc import Iterator, Sequence

import numpy as np

from guest_agent.memory.hashing import Numbers
from guest_agent.ring import NUMBER, Rows


def count_numbers(numbers: Numbers, count: int) -> tuple[int, int]:
    """How many of 0..count-1 are not there, and how many are there again; those beyond count as again."""
    inside = numbers[numbers < np.uint64(count)]
    seen = len(np.unique(inside))
    return count - seen, len(numbers) - seen


def number_findings(logs: Sequence[Rows], lost: int, doubled: int, count: int) -> Iterator[str]:
    """What is wrong with operation numbers, in words."""
    lowest = min((int(log[:, NUMBER].min()) for log in logs if len(log)), default=0)
    if lost and lowest >= lost / 2 > 0:
        yield f"the log's first rows were overwritten: {lowest} of {count} operations cannot be checked"
    if lost:
        yield f"{lost} of {count} operations are not in the logs"
    if doubled:
        yield f"{doubled} operations are in the logs more than once, or were never begun"
