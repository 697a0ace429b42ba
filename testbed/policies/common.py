"""What most policies need: the expected downtime, the test against the goal, and the sentence that says so.

    expected downtime = what is left / bandwidth + what the switchover is known to cost

Nothing lowers that cost (connections to move, a scan, round trips), so it alone keeps no migration going: when the last
round left nothing, or no less than the one before, only what is left is held against the goal.
"""

from collections.abc import Sequence

from testbed.core.rounds import Action, Decision, Round, Throttle
from testbed.core.units import in_bytes, in_bytes_per_second, in_seconds


def sending_time(last: Round) -> float:
    """Seconds to send what the last round left, at the bandwidth it had. Infinite when it sent nothing."""
    if last.dirtied_bytes == 0:
        return 0.0
    return last.dirtied_bytes / last.bandwidth if last.bandwidth > 0 else float("inf")


def expected_downtime(last: Round) -> float:
    """Seconds to send what the last round left, and what a switchover is known to cost beside."""
    return sending_time(last) + last.switchover_s


def within(last: Round, goal: float) -> Action:
    """Switch over once the expected downtime is within the goal (seconds), or would be but for the switchover's own
    cost and another round would not leave less; else go on.
    """
    return Action.SWITCH_OVER if expected_downtime(last) <= goal or _in_vain(last, goal) else Action.GO_ON


def explain(last: Round, goal: float) -> str:
    """``stopped after round 4: 1,953 pages (8.0 MB) left, 62 ms at 128 MB/s and 3 ms to switch over, goal 100 ms``."""
    verb = "stopped" if within(last, goal) is Action.SWITCH_OVER else "went on"
    return f"{verb} {left(last)}, goal {in_seconds(goal)}{_beyond(last, goal)}"


def left(last: Round) -> str:
    """``after round 4: 1,953 pages (8.0 MB) left, 62 ms at 128 MB/s and 3 ms to switch over``."""
    known = f" and {in_seconds(last.switchover_s)} to switch over" if last.switchover_s else ""
    return (
        f"after round {last.index}: {last.dirtied_pages:,} pages ({in_bytes(last.dirtied_bytes)}) left, "
        f"{in_seconds(sending_time(last))} at {in_bytes_per_second(last.bandwidth)}{known}"
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


def _in_vain(last: Round, goal: float) -> bool:
    """Only the switchover's own cost is in the way, and the last round left nothing, or no less than the one before: a
    round that sends nothing has no bandwidth either, from which anything could be decided.
    """
    before = last.sent_bytes + last.unsent_bytes
    return sending_time(last) <= goal and (not last.dirtied_bytes or last.dirtied_bytes >= before)


def _beyond(last: Round, goal: float) -> str:
    """Said where the goal cannot be met, or is not held to."""
    said = ""
    if last.switchover_s > goal:
        said = ", less than the switchover alone takes"
    if expected_downtime(last) > goal and _in_vain(last, goal):
        said += "; another round would leave no less"
    return said
