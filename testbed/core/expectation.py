"""Whether a migration ended as its scenario says that it should: one that is told to give up, and does, is no fault."""

from testbed.core.plan import Expect
from testbed.core.records.migration import Outcome
from testbed.core.rounds import Action, Decision

TO_GIVE_UP = "the migration was expected to give up"


def unmet(expect: Expect, outcome: Outcome, reason: str, last: Decision | None) -> str | None:
    """Why this end is not the one expected; None when it is. ``last`` is the last decision of the policy.

    To give up is a decision: a migration that broke down, was cancelled or ran out of time has not given up.
    """
    if expect == "completes":
        return None if outcome == "completed" else f"the migration was {outcome}: {reason}"
    if outcome == "aborted" and last is not None and last.action is Action.GIVE_UP:
        return None
    return f"{TO_GIVE_UP}, and was {outcome}: {reason}"


def said(outcome: Outcome | str, valid: bool, faults: bool = False) -> str:
    """An outcome for people. Without ``faults`` that it met, one that did not complete is valid only where it was to
    give up, and did.
    """
    return "gave up, as expected" if valid and outcome == "aborted" and not faults else outcome
