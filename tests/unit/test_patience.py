"""Who waits for whom, and how long: whoever knows why speaks before the next one gives up."""

import pytest

from testbed.core.agents import patience
from testbed.engines.native.mover import ANNOUNCED_S
from testbed.linux.processes.waiting import SLICE_S
from testbed.migration.identity.announcer import REPEATS_S

LATE_S = 2 * SLICE_S
"""How much longer than asked for somebody may wait who waits in slices."""
BEFORE = {
    "a dead peer is TCP's to tell, before the peer counts as silent": ("DEAD_PEER_S", "STUNNED_TIMEOUT_S"),
    "a stream that does not come is the destination's to tell": ("CONNECT_TIMEOUT_S", "STUNNED_TIMEOUT_S"),
    "and TCP's before that": ("DEAD_PEER_S", "CONNECT_TIMEOUT_S"),
    "pages that do not come are the destination's to tell": ("PAGES_TIMEOUT_S", "STUNNED_TIMEOUT_S"),
    "a destination that is silent is the source's to tell": ("ANSWER_TIMEOUT_S", "SILENCE_S"),
    "also while the guest stands still": ("STUNNED_TIMEOUT_S", "SILENCE_S"),
    "a commit that cannot be cancelled is answered, or in doubt, before": ("STUNNED_TIMEOUT_S", "CANCEL_GRACE_S"),
    "a destination whose link was cut notices it before": ("DEAD_PEER_S", "LAST_WORD_S"),
    "a source that hangs is ended while the destination still waits": ("SILENCE_S", "QUIET_S"),
}


@pytest.mark.parametrize("why", BEFORE)
def test_whoever_knows_why_speaks_before_the_next_gives_up(why: str) -> None:
    first, then = (getattr(patience, name) for name in BEFORE[why])
    assert first + LATE_S < then


def test_a_guest_that_stands_still_is_never_waited_for_longer_than_one_that_runs() -> None:
    assert patience.STUNNED_TIMEOUT_S <= patience.ANSWER_TIMEOUT_S


def test_every_time_of_the_table_is_held_against_another() -> None:
    held = {name for pair in BEFORE.values() for name in pair}
    assert held == {name for name in vars(patience) if name.endswith("_S")}


def test_the_last_announcement_is_told_before_nobody_waits_for_it() -> None:
    assert REPEATS_S[-1] + LATE_S < ANNOUNCED_S
