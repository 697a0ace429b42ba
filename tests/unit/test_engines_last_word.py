"""What a destination says at its end: quoted where it knows more than the source, whose reason may be an effect."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from testbed.core.agents.told import AgentFailed, Gone, NeverConnected, SourceFinished
from tests.unit.test_engines_follower import ABORTED, COMPLETED
from tests.unit.two_hosts import LAST, World

REFUSED = NeverConnected(outcome="aborted", reason="nobody listens", refused=True)


@pytest.mark.parametrize(
    ("said", "last", "reason"),
    [
        (ABORTED, LAST, "it broke (the destination: it was told so)"),
        (ABORTED, AgentFailed(reason="its disk was full"), "it broke (the destination: its disk was full)"),
        (ABORTED, None, "it broke"),
        (ABORTED, Gone(), "it broke (the destination: its agent died)"),
        (REFUSED, AgentFailed(reason="no source came"), "nobody listens (the destination: no source came)"),
        (REFUSED, Gone(), "nobody listens (the destination: its agent died)"),
        (replace(REFUSED, refused=False), AgentFailed(reason="no source came"), "nobody listens"),
        (replace(ABORTED, reason="it was told so, too"), LAST, "it was told so, too"),
        (COMPLETED, LAST, COMPLETED.reason),
    ],
)
def test_the_destination_is_quoted_where_it_knows_more(
    said: SourceFinished | NeverConnected, last: Any, reason: str
) -> None:
    assert World([said], last_word=last).run().follower.ended.reason == reason


def test_who_cancelled_while_nobody_listened_is_told_that_it_was_cancelled() -> None:
    ended = World([replace(REFUSED, outcome="cancelled", reason="cancelled")], last_word=Gone()).run().follower.ended
    assert (ended.outcome, ended.reason) == ("cancelled", "cancelled")
