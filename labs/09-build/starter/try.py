"""Your tracker in every order in which it and a guest can act, and the shortest in which it loses a page."""

from testbed.core.errors import ScenarioError
from testbed.dirty.interleavings import explore
from testbed.dirty.own_file import OWN_TRACKER

try:
    tracker = OWN_TRACKER.load("./tracker.py")
except ScenarioError as fault:
    raise SystemExit(f"{fault}") from None
found = explore(tracker)
print(found.wrong or f"nothing is lost in {found.interleavings:,} orders")
print(f"{found.calls:,} calls, {found.sent:,} pages sent after round 1, {found.needless:,} of them without need")
