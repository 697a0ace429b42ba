"""A run whose rates hold. A machine's other work comes and goes, so one that fell short is asked again, and has to hold
its rates then; what is wrong with a rate stays.
"""

import re
import warnings
from collections.abc import Callable
from typing import Any

RATES = re.compile(r"the link delivered .* instead of|the guest reached .* of its write rate|samples were lost$")
TRIES = 3


def undisturbed(make: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """The summary of the first run whose rates hold, and the last one's where none did. ``make`` is given how many
    there were before. What fell short is a warning of the test, which pytest tells last.
    """
    for number in range(TRIES - 1):
        summary = make(number)
        reasons = [reason for each in summary["migrations"] for reason in each["invalid_reasons"]]
        if not any(map(RATES.search, reasons)):
            return summary
        warnings.warn(f"disturbed, and asked again: {'; '.join(reasons)}", stacklevel=2)
    return make(TRIES - 1)
