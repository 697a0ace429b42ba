"""Faults by plan: what is to break at which of the ``phases``, ``PHASE:WHAT``, as in ``commit:cut``.

Whoever is to say the message that a phase is called after is held there until the fault is done, so that it strikes at
that very moment; all that can be known of it before any run follows from that:

* a cut link or an agent that is gone ends the migration there, unless the link is mended once the message was said;
* before ``running`` the guest never ran at the destination, so it is the source's; from there on it is the
  destination's, whatever the source has heard of it.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from testbed.core.agents.phases import LAST_ROUND, MEND, PHASES, RUNNING, WHATS, round_phase
from testbed.core.plan import PlannedFault
from testbed.core.records.services import FaultRecord
from testbed.core.text.nearest import nearest

End: TypeAlias = Literal["source", "destination"]
FORM = "PHASE:WHAT, such as commit:kill-destination"
PATTERN = rf"^(hello|round-[1-9][0-9]{{0,2}}|{LAST_ROUND}|prepare|commit|{RUNNING}):({'|'.join(WHATS)})$"
_ROUND = re.compile(r"round-?([1-9][0-9]{0,2})")


def read_fault(text: str) -> PlannedFault:
    """``commit:cut``; words may be parted by ``_`` or a space. Raises ``ValueError`` with the nearest right word."""
    phase, colon, what = (part.strip().lower().replace("_", "-").replace(" ", "-") for part in text.partition(":"))
    if not colon:
        raise ValueError(f"expected {FORM}, not {text.strip()!r:.60}")
    numbered = _ROUND.fullmatch(phase)
    if numbered:
        phase = round_phase(int(numbered[1]))
    elif phase not in PHASES:
        raise ValueError(f"no phase of a migration is called {phase!r:.60}; {nearest(phase[:60], list(PHASES))}")
    if what not in WHATS:
        raise ValueError(f"no fault is called {what!r:.60}; {nearest(what[:60], list(WHATS))}")
    return PlannedFault(phase=phase, what=what)


def in_order(faults: Iterable[PlannedFault]) -> tuple[PlannedFault, ...]:
    """As a migration comes to them. Raises ``ValueError`` for those of which one could never be carried out."""
    ordered = tuple(sorted(faults, key=_order))
    cut = {fault.phase for fault in ordered if fault.what == "cut"}
    for index, fault in enumerate(ordered):
        if fault in ordered[:index]:
            raise ValueError(f"the fault {fault} stands here twice; remove one")
        if fault.what == MEND and fault.phase not in cut:
            raise ValueError(f"{fault} mends what is not cut; add {fault.phase}:cut, or remove it")
    end = _ending(ordered)
    late = next((fault for fault in ordered if end and _too_late(fault, end)), None)
    if end and late:
        mended = f", or mend the link: {end.phase}:{MEND}" if end.what == "cut" else ""
        raise ValueError(f"{late} would never be reached, since {end} ends the migration; remove one{mended}")
    return ordered


def leaves(faults: Sequence[PlannedFault]) -> End | None:
    """Where the guest has to run when these were carried out; None: where it would run without them."""
    end = _ending(faults)
    return None if end is None else "destination" if end.phase == RUNNING else "source"


def left(met: Iterable[FaultRecord]) -> End | None:
    """``leaves`` of those that struck. None: all is as it would be without them, as after a cut that was mended."""
    return leaves([PlannedFault(phase=fault.phase, what=fault.what) for fault in met if fault.struck])


def _ending(faults: Sequence[PlannedFault]) -> PlannedFault | None:
    """The first of them that ends the migration, if one does."""
    mended = {fault.phase for fault in faults if fault.what == MEND}
    ends = (fault for fault in faults if fault.what != MEND and not (fault.what == "cut" and fault.phase in mended))
    return next(ends, None)


def _order(fault: PlannedFault) -> tuple[tuple[int, int], bool, int]:
    """Of one phase the link is mended last, once all else is done there."""
    return _place(fault.phase), fault.what == MEND, WHATS.index(fault.what)


def _too_late(fault: PlannedFault, end: PlannedFault) -> bool:
    """Whether the migration has ended by then."""
    here, there = _place(fault.phase), _place(end.phase)
    return here > there or (here == there and fault.what == MEND)


def _place(phase: str) -> tuple[int, int]:
    """Where a phase stands among all of them."""
    numbered = _ROUND.fullmatch(phase)
    return (1, int(numbered[1])) if numbered else (PHASES.index(phase), 0)
