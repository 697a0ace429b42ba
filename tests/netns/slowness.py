"""What a machine is too slow for, by name. Where each instruction is emulated counts hold and rates do not, so a rate
that falls short there is a warning of the test, and anything else fails as everywhere. One with other work is asked
again, and has to hold its rates then.
"""

import re
from collections.abc import Callable
from typing import Any

from tests.netns.launching import Launched
from tests.slowness import holds, too_slow

RATES = re.compile(r"the link delivered .* instead of|the guest reached .* of its write rate|samples were lost$")
TRIES = 3


def sound(*migrations: dict[str, Any]) -> None:
    """All are valid, but for rates of an emulated machine."""
    for each in migrations:
        amiss = each["invalid_reasons"]
        assert [reason for reason in amiss if not RATES.search(reason)] == [], (each["name"], amiss)
        assert each["valid"] is not bool(amiss), (each["name"], amiss)
        holds(not amiss, "; ".join(amiss))


def ended(run: Launched, timeout_s: float = 60) -> list[dict[str, Any]]:
    """A run's migrations at its end, all of them `sound`."""
    code = run.end(timeout_s)
    assert code in (0, 1), run.lines
    summary = run.summary
    made: list[dict[str, Any]] = summary["migrations"]
    sound(*made)
    assert summary["valid"] is (code == 0), run.lines
    return made


def undisturbed(make: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """The summary of the first run whose rates hold, and the last one's where none did: a machine's other work comes
    and goes, and what is wrong with a rate stays. ``make`` is given how many there were before.
    """
    for number in range(TRIES - 1):
        summary = make(number)
        reasons = [reason for each in summary["migrations"] for reason in each["invalid_reasons"]]
        if not any(map(RATES.search, reasons)):
            return summary
        too_slow("; ".join(reasons))
    return make(TRIES - 1)
