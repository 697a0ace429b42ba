"""What a machine is too slow for, by name. Where each instruction is emulated counts hold and rates do not, so a rate
that falls short there is a warning of the test, which pytest tells last, and anything else fails as everywhere.
"""

import re
import warnings
from typing import Any

from tests.netns.launching import Launched
from tests.slowness import emulated

RATES = re.compile(r"the link delivered .* instead of|the guest reached .* of its write rate|samples were lost$")


def holds(rate: bool, said: str) -> bool:
    """Whether a rate is as it has to be. Elsewhere than on an emulated machine it has to be."""
    if not rate and emulated():
        warnings.warn(f"emulated, and too slow for rates: {said}", stacklevel=2)
        return False
    assert rate, said
    return True


def ended(run: Launched, timeout_s: float) -> dict[str, Any]:
    """The only migration of a run, at its end: ``valid``, but for rates of an emulated machine."""
    code = run.end(timeout_s)
    assert code in (0, 1), run.lines
    done = run.migration
    others = [reason for reason in done["invalid_reasons"] if not RATES.search(reason)]
    assert others == [], run.lines
    assert holds(code == 0, "; ".join(done["invalid_reasons"])) == done["valid"]
    return done
