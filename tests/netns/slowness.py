"""What of a run a machine may be too slow for, by name: one that emulates each instruction at all times, and one with
other work at times. Counts hold there and rates do not, so where a test is of something else a rate that falls short is
a warning; anything else fails as everywhere.
"""

import re
from collections.abc import Callable
from typing import Any

from tests.netns.launching import Launched
from tests.slowness import too_slow

RATES = re.compile(r"the link delivered .* instead of|the guest reached .* of its write rate|samples were lost$")
TRIES = 3


def sound(*migrations: dict[str, Any]) -> bool:
    """Whether all are valid. Nothing but rates may be amiss; a test whose subject these are has `undisturbed`."""
    for each in migrations:
        amiss = each["invalid_reasons"]
        assert [reason for reason in amiss if not RATES.search(reason)] == [], (each["name"], amiss)
        assert each["valid"] is not bool(amiss), (each["name"], amiss)
        if amiss:
            too_slow("; ".join(amiss))
    return all(each["valid"] for each in migrations)


def ended(run: Launched, timeout_s: float = 60) -> list[dict[str, Any]]:
    """A run's migrations at its end, all of them `sound`."""
    code = run.end(timeout_s)
    assert code in (0, 1), run.lines
    summary = run.summary
    made: list[dict[str, Any]] = summary["migrations"]
    assert sound(*made) is summary["valid"] is (code == 0), run.lines
    return made


def undisturbed(make: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """The summary of the first run whose rates hold, and the last one's where none did: a machine's other work comes
    and goes, and what is wrong with a rate stays. ``make`` is given how many there were before.
    """
    for number in range(TRIES - 1):
        summary = make(number)
        if sound(*summary["migrations"]):
            return summary
    return make(TRIES - 1)
