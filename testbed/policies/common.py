"""What most policies need: the expected downtime, the test against the goal, and the sentence that says so."""

from collections.abc import Sequence

from testbed.core.rounds import Action, Decision, Round, Throttle
from testbed.core.units import in_bytes, in_bytes_per_second, in_seconds


def expected_downtime(last: Round) -> float:
    """Seconds to send what the last round left, at the bandwidth it had. Infinite when it sent nothing."""
    if last.dirtied_bytes == 0:
        return 0.0
    return last.dirtied_bytes / last.bandwidth if last.bandwidth > 0 else float("inf")


def within(last: Round, goal: float) -> Action:
    """Switch over once the expected downtime is within the goal (seconds); else go on."""
    return Action.SWITCH_OVER if expected_downtime(last) <= goal else Action.GO_ON


def explain(last: Round, goal: float) -> str:
    """``stopped after round 4: 1,953 pages (8.0 MB) left, 62 ms at 128 MB/s, goal 100 ms``."""
    verb = "stopped" if within(last, goal) is Action.SWITCH_OVER else "went on"
    return f"{verb} {left(last)}, goal {in_seconds(goal)}"


def left(last: Round) -> str:
    """``after round 4: 1,953 pages (8.0 MB) left, 62 ms at 128 MB/s``."""
    return (
        f"after round {last.index}: {last.dirtied_pages:,} pages ({in_bytes(last.dirtied_bytes)}) left, "
        f"{in_seconds(expected_downtime(last))} at {in_bytes_per_second(last.bandwidth)}"
    )


def go_on(last: Round, goal: float, throttle: Throttle | None = None, because: str = "") -> Decision:
    """One round more, with what is done about it in the sentence."""
    reason = "; ".join(part for part in (explain(last, goal), because) if part)
    return Decision(action=Action.GO_ON, reason=reason, throttle=throttle)


def switch_over(last: Round, because: str) -> Decision:
    """Stop for another reason than the goal."""
    return Decision(action=Action.SWITCH_OVER, reason=f"stopped {left(last)}; {because}")


def give_up(last: Round, because: str) -> Decision:
    """Leave the guest where it is."""
    return Decision(action=Action.GIVE_UP, reason=f"gave up {left(last)}; {because}")


def elapsed(history: Sequence[Round]) -> float:
    """Seconds from the migration's beginning to the end of the last round."""
    return history[-1].started_s + history[-1].duration_s
